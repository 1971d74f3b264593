// The start of a request: admitted within bounds, or refused with the reason. A refused request is never queued.

import { display, type FailureCode } from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { place } from "./dispatch.ts";
import { describe, sendFailure } from "./end-request.ts";
import { expireRequest, failRequest } from "./fail-request.ts";
import { onAccepted } from "./hooks.ts";
import { covers } from "./names.ts";
import {
  type ClientRecord,
  QueuedRequest,
  type RequestMessage,
  type Route,
  type Service,
  type WorkerRecord,
} from "./queued-request.ts";
import type { CachedReply } from "./reply-cache.ts";
import { placeOrFail } from "./requeue.ts";
import { sendMessages } from "./send-reply.ts";
import type { CoreState } from "./state.ts";

interface AdmissionError {
  readonly code: FailureCode;
  readonly why: string;
}

/**
 * Dispatches, queues or refuses a new request.
 * @param target the worker that its options name, if there is one
 */
export function acceptRequest(
  state: CoreState,
  client: ClientRecord,
  message: RequestMessage,
  target: WorkerRecord | undefined,
  now: Instant,
): void {
  const route = state.services.route(message.service);
  const error = admissionError(state, client, route, target, message);
  if (error !== undefined) return refuseRequest(state, client, message, error);
  const request = addRequest(state, client, route, message, now);
  // Accepted with no time left: it is never dispatched (P-TIME-2).
  if (message.options.timeoutMs === 0) return expireRequest(state, request);
  if (onAccepted(state, request)) return;
  place(state, request, target);
}

/** Answers a client whose request is not accepted. */
export function refuseRequest(
  state: CoreState,
  client: ClientRecord,
  { service, requestId }: RequestMessage,
  { code, why }: AdmissionError,
): void {
  state.effects.report({ type: "request-failed", client: client.id, service, requestId, code });
  const message = describe(requestId, service, why);
  sendFailure(state, client, service, requestId, { code, message, delivery: "not-sent" });
}

/** Answers a request from the cache: it starts and ends in this step, within every bound. */
export function answerFromCache(
  state: CoreState,
  client: ClientRecord,
  { service, requestId }: RequestMessage,
  { parts }: CachedReply,
): void {
  state.counts.accepted += 1;
  state.counts.cached += 1;
  state.counts.finished += 1;
  state.effects.report({ type: "request-cached", client: client.id, service, requestId });
  const messages = parts.map(({ body, isRaw = false, trailer }, index) => {
    const type = index === parts.length - 1 ? ("final" as const) : ("partial" as const);
    return { type, requestId, service, status: 0, body, isRaw, trailer };
  });
  sendMessages(state, client, messages);
}

/** Places a persistent request that the store has confirmed. Its target worker may have left in the meantime. */
export function placeAccepted(state: CoreState, request: QueuedRequest, target: WorkerRecord | undefined): void {
  const { worker } = request.options;
  if (worker === undefined || (target !== undefined && isWithin(request.route, target.service))) {
    return placeOrFail(state, request, target);
  }
  failRequest(state, request, "UNAVAILABLE", whyUnavailable(worker));
}

/** Files a request in all tables. It has no location yet. */
export function addRequest(
  state: CoreState,
  client: ClientRecord,
  route: Route,
  message: RequestMessage,
  now: Instant,
): QueuedRequest {
  state.counts.accepted += 1;
  const request = new QueuedRequest(client, route, message);
  renumber(state, request);
  state.open.add(request);
  state.services.onOpened(route);
  client.requests.add(request);
  restartTimeout(state, request, now);
  return request;
}

/** Puts a request behind all earlier ones. */
export function renumber(state: CoreState, request: QueuedRequest): void {
  state.lastNumber += 1;
  request.number = state.lastNumber;
}

/** The timeout limits silence: every partial restarts it. */
export function restartTimeout(state: CoreState, request: QueuedRequest, now: Instant): void {
  state.timers.set(request, request.options.timeoutMs, now);
}

function admissionError(
  state: CoreState,
  client: ClientRecord,
  route: Route,
  target: WorkerRecord | undefined,
  { options }: RequestMessage,
): AdmissionError | undefined {
  const { worker: targetId, failFast, persist } = options;
  if (targetId !== undefined && (target === undefined || !isWithin(route, target.service))) {
    return { code: "UNAVAILABLE", why: whyUnavailable(targetId) };
  }
  if (failFast && route.service === state.services.unserved) {
    return { code: "UNAVAILABLE", why: "was refused: the service has no worker" };
  }
  const bound = reachedBound(state, client, route, target, persist);
  return bound === undefined ? undefined : { code: "BUSY", why: bound };
}

/** The bound that one more request would exceed. */
function reachedBound(
  { options, open, storedRequests }: CoreState,
  client: ClientRecord,
  route: Route,
  target: WorkerRecord | undefined,
  persist: boolean,
): string | undefined {
  const { maxRequests, maxRequestsPerClient, maxRequestBytes, maxQueuedPerService } = options;
  if (open.size >= maxRequests) return `was refused: the broker has ${maxRequests} open requests, the maximum`;
  if (open.bytes >= maxRequestBytes)
    return `was refused: the open requests have reached ${maxRequestBytes} bytes, the maximum`;
  if (client.requests.size >= maxRequestsPerClient) {
    return `was refused: its client has ${maxRequestsPerClient} open requests, the maximum`;
  }
  if (persist && storedRequests.size >= maxRequests) {
    return `was refused: the store has ${maxRequests} requests, the maximum`;
  }
  const hasNoSlot = target === undefined ? route.service.available.size === 0 : !target.hasFreeSlot;
  if ((persist || hasNoSlot) && route.waiting >= maxQueuedPerService) {
    return `was refused: ${maxQueuedPerService} requests for the service are waiting, the maximum`;
  }
  return undefined;
}

/** Whether a request for the name of a route may ask for the workers of a service, even if the route leads elsewhere. */
function isWithin(route: Route, service: Service): boolean {
  return route.service === service || covers(service.name, route.name);
}

function whyUnavailable(worker: string): string {
  return `was refused: the worker "${display(worker)}" does not offer the service`;
}
