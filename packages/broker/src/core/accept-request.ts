// The start of a request: admitted within bounds, or refused with the reason. A refused request is never queued.
//
// Stored requests have separate bounds, because they outlive the connection that sent them: they take no room from other
// requests. With total bounds alone, a few clients could lock out all others. So each total bound has a reserve of an eighth for
// clients that use little: a client may use a ninth of the free reserve, so some of it is always left for the next client.

import { display, type FailureCode } from "@pigato/protocol";
import { excessFor, type Instant } from "@pigato/protocol/internal";
import { chooseFree, place } from "./dispatch.ts";
import { describe, restartTimeout, sendFailure } from "./end-request.ts";
import { expireRequest, failRequest } from "./fail-request.ts";
import { onAccepted } from "./hooks.ts";
import { covers } from "./names.ts";
import {
  type ClientRecord,
  QueuedRequest,
  type Registration,
  type RequestMessage,
  type Route,
  type WorkerRecord,
} from "./queued-request.ts";
import type { CachedReply } from "./reply-cache.ts";
import { limitRequest } from "./request-limits.ts";
import { placeOrFail } from "./requeue.ts";
import { sendMessages } from "./send-reply.ts";
import type { CoreState } from "./state.ts";

/** The reserve is this fraction of the bound. A client gets a request while this multiple of its usage is below the free reserve. */
const RESERVE = 8;

interface AdmissionError {
  readonly code: FailureCode;
  readonly why: string;
}

/**
 * Dispatches, queues or refuses a new request.
 * @param worker the one that its options name, if there is one
 */
export function acceptRequest(
  state: CoreState,
  client: ClientRecord,
  message: RequestMessage,
  worker: WorkerRecord | undefined,
  now: Instant,
): void {
  const route = state.services.route(message.service);
  const target = worker && registrationFor(worker, route);
  const error = admissionError(state, client, route, target, message);
  if (error !== undefined) return refuseRequest(state, client, message, error);
  const request = addRequest(state, client, route, message);
  if (message.deadlineMs !== undefined || message.options.acceptTimeoutMs !== undefined)
    limitRequest(state, request, message);
  // Accepted with no time left: it is never dispatched (P-TIME-2).
  if (message.options.timeoutMs === 0) return expireRequest(state, request);
  const isHeldBack = onAccepted(state, request, now);
  restartTimeout(state, request, now);
  if (!isHeldBack) place(state, request, target);
}

/** Answers a client whose request is not accepted. */
export function refuseRequest(
  state: CoreState,
  client: ClientRecord,
  { service, requestId }: RequestMessage,
  { code, why }: AdmissionError,
): void {
  state.counts.refusals[code] += 1;
  state.effects.report({ type: "request-failed", client: client.id, service, requestId, code });
  const message = describe(requestId, service, why);
  sendFailure(state, client, service, requestId, { code, message, delivery: "not-sent" });
}

/** Answers a request from the cache: it starts and ends in this step, within every bound of requests. */
export function answerFromCache(
  state: CoreState,
  client: ClientRecord,
  request: RequestMessage,
  reply: CachedReply,
): void {
  const excess = excessOfReply(state, client, reply);
  if (excess !== undefined) {
    const why = `was refused: its cached reply is too large for its client: ${excess}`;
    return refuseRequest(state, client, request, { code: "INVALID", why });
  }
  const { service, requestId } = request;
  state.counts.accepted += 1;
  state.counts.cached += 1;
  state.counts.answered += 1;
  state.effects.report({ type: "request-cached", client: client.id, service, requestId });
  const messages = reply.parts.map(({ body, isRaw = false, trailer }, index) => {
    const type = index === reply.parts.length - 1 ? ("final" as const) : ("partial" as const);
    return { type, requestId, service, status: 0, body, isRaw, trailer };
  });
  sendMessages(state, client, messages);
}

/** P-SIZE-1: how a part of a cached reply exceeds what a client accepts. */
function excessOfReply({ options }: CoreState, client: ClientRecord, { parts }: CachedReply): string | undefined {
  for (const part of parts) {
    const excess = excessFor(options, client, part, part.trailer[0]);
    if (excess !== undefined) return excess;
  }
  return undefined;
}

/** Places a persistent request that the store has confirmed. Its target worker may have left in the meantime. */
export function placeAccepted(state: CoreState, request: QueuedRequest, worker: WorkerRecord | undefined): void {
  const target = worker && registrationFor(worker, request.route);
  const named = request.options.worker;
  if (named === undefined || target !== undefined) return placeOrFail(state, request, target);
  failRequest(state, request, "UNAVAILABLE", whyUnavailable(named));
}

/** Files a request in all tables. It has no location and no timeout yet. */
export function addRequest(
  state: CoreState,
  client: ClientRecord,
  route: Route,
  message: RequestMessage,
): QueuedRequest {
  state.counts.accepted += 1;
  const request = new QueuedRequest(client, route, message);
  renumber(state, request);
  state.open.add(request);
  state.pinned.add(request);
  state.services.onOpened(route);
  client.requests.add(request);
  return request;
}

/** Puts a request behind all earlier ones. */
export function renumber(state: CoreState, request: QueuedRequest): void {
  state.lastNumber += 1;
  request.number = state.lastNumber;
}

function admissionError(
  state: CoreState,
  client: ClientRecord,
  route: Route,
  target: Registration | undefined,
  { options }: RequestMessage,
): AdmissionError | undefined {
  const { worker: targetId, failFast, persist, hasInput } = options;
  if (targetId !== undefined && target === undefined) {
    return { code: "UNAVAILABLE", why: whyUnavailable(targetId) };
  }
  if (failFast && route.service === state.services.unserved) {
    return { code: "UNAVAILABLE", why: "was refused: the service has no worker" };
  }
  if (hasInput && persist && client.capabilities.duplex) {
    return { code: "INVALID", why: "was refused: a stored request cannot have streamed input" };
  }
  const bound = reachedBound(state, client, route, target, persist);
  return bound === undefined ? undefined : { code: "BUSY", why: bound };
}

/** Why one more request of a client would exceed a bound; `undefined` if there is room. */
function reachedBound(
  state: CoreState,
  client: ClientRecord,
  route: Route,
  target: Registration | undefined,
  isStored: boolean,
): string | undefined {
  const bound = isStored ? boundOfStored(state, client) : boundOfOpen(state, client);
  if (bound !== undefined) return bound;
  const { maxQueuedPerService } = state.options;
  // The usual case.
  if (route.waiting < maxQueuedPerService) return undefined;
  const isFree = target === undefined ? chooseFree(route.service, undefined) !== undefined : target.worker.hasFreeSlot;
  if (!isStored && isFree) return undefined;
  return totalBound("maxQueuedPerService", maxQueuedPerService, route.waiting, client.requests.size);
}

/** Of requests that are not stored. */
function boundOfOpen(
  { options, open, storedRequests }: CoreState,
  { requests, stored }: ClientRecord,
): string | undefined {
  const { maxRequests, maxRequestBytes, maxRequestsPerClient, maxRequestBytesPerClient } = options;
  // The usual case. It avoids loading the usage of stored requests, which is in other objects.
  const isClear = open.size < maxRequests && open.bytes < maxRequestBytes;
  if (isClear && requests.size < maxRequestsPerClient && requests.bytes < maxRequestBytesPerClient) return undefined;
  const count = requests.size - stored.requests;
  const bytes = requests.bytes - stored.bytes;
  return (
    totalBound("maxRequests", maxRequests, open.size - storedRequests.open.requests, count) ??
    totalBound("maxRequestBytes", maxRequestBytes, open.bytes - storedRequests.open.bytes, bytes) ??
    clientBound("maxRequestsPerClient", maxRequestsPerClient, count) ??
    clientBound("maxRequestBytesPerClient", maxRequestBytesPerClient, bytes)
  );
}

function boundOfStored({ options, storedRequests }: CoreState, { stored }: ClientRecord): string | undefined {
  const { maxStoredRequests, maxStoredBytes, maxStoredRequestsPerClient, maxStoredBytesPerClient } = options;
  const { requests, bytes } = stored;
  return (
    totalBound("maxStoredRequests", maxStoredRequests, storedRequests.size, requests) ??
    totalBound("maxStoredBytes", maxStoredBytes, storedRequests.open.bytes, bytes) ??
    clientBound("maxStoredRequestsPerClient", maxStoredRequestsPerClient, requests) ??
    clientBound("maxStoredBytesPerClient", maxStoredBytesPerClient, bytes)
  );
}

/** @param used by all clients @param ofClient what this client uses of it, at least */
function totalBound(name: string, bound: number, used: number, ofClient: number): string | undefined {
  if (used < bound) return undefined;
  const left = bound + Math.floor(bound / RESERVE) - used;
  return RESERVE * ofClient < left ? undefined : `was refused: the broker has reached ${name}, which is ${bound}`;
}

function clientBound(name: string, bound: number, ofClient: number): string | undefined {
  return ofClient < bound ? undefined : `was refused: its client has reached ${name}, which is ${bound}`;
}

/** The service of a worker that may serve requests for the name of a route, even if the name leads to another service. */
function registrationFor(worker: WorkerRecord, { service, name, range }: Route): Registration | undefined {
  const { first, offers } = worker;
  if (offers !== undefined) return service.workers.get(worker) ?? offers.resolve(name, range);
  return first.service === service || covers(first.name, name, range) ? first : undefined;
}

function whyUnavailable(worker: string): string {
  return `was refused: the worker "${display(worker)}" does not offer the service`;
}
