// The end of a request. Every open request ends exactly once, here, in this order:
//
//   1. A failure is reported as an event (in `endWithFailure`, unless it is reported already).
//   2. `endRequest` counts the outcome,
//   3. sends a cancel to a worker that still runs the request,
//   4. removes the request from the open and the pinned requests and calls `onEnded` of hooks.ts: the reply cache drops what it collected,
//      held replies are released, the store deletes the request,
//   5. stops its timeout, and removes it from its client and from its queue or worker,
//   6. gives the slot that became free to the next request,
//   7. and releases the route, which may be evicted later.
//   8. A failure is sent to the client (`endWithFailure`).
//
// A final reply is sent before step 2. A persistent request ends only when its client has the reply (held-replies.ts).

import {
  type Delivery,
  display,
  type Failure,
  type FailureCode,
  type RequestId,
  type ServiceName,
} from "@pigato/protocol";
import type { Instant } from "@pigato/protocol/internal";
import { remove, serve } from "./dispatch.ts";
import { onEnded } from "./hooks.ts";
import { leaveInStore } from "./persistence.ts";
import type { ClientRecord, QueuedRequest } from "./queued-request.ts";
import type { RequestOutcome } from "./request-counts.ts";
import { passedDeadline, setTimeoutWithin } from "./request-limits.ts";
import type { CoreState } from "./state.ts";

/** @param why for its worker, unless the client canceled the request: completes "request r1 to echo …" */
export function endRequest(state: CoreState, request: QueuedRequest, outcome: RequestOutcome, why?: string): void {
  const { location, client, route } = request;
  count(state, outcome);
  // A worker that has replied no longer runs the request.
  if (outcome !== "answered" && outcome !== "WORKER_FAILED") {
    cancelAtWorker(state, request, outcome === "canceled" ? "CLOSED" : outcome, why);
  }
  state.open.remove(request);
  state.pinned.remove(request);
  onEnded(state, request, outcome);
  state.timers.clear(request);
  client.requests.remove(request);
  remove(state, request);
  if (location.at === "worker") serve(state, location.worker);
  state.services.onEnded(route);
}

/** Ends a request and sends its client the failure. */
export function endWithFailure(
  state: CoreState,
  request: QueuedRequest,
  code: FailureCode,
  why: string,
  detail?: Failure["detail"],
): void {
  const { client, name, id } = request;
  const failure = failureOf(request, code, why, detail);
  endUnsent(state, request, code, why);
  sendFailure(state, client, name, id, failure);
}

export function failureOf(request: QueuedRequest, code: FailureCode, why: string, detail: Failure["detail"]): Failure {
  const { id, name } = request;
  const failure = { code, message: describe(id, name, why), delivery: deliveryOf(request) };
  return detail === undefined ? failure : { ...failure, detail };
}

/** Ends a request as failed. The caller sends the failure, if the client gets one. */
export function endUnsent(state: CoreState, request: QueuedRequest, code: FailureCode, why: string): void {
  state.effects.reportFailure(request, code);
  endRequest(state, request, code, why);
}

/** The broker stops: the request ends wherever it is. A persistent request stays in the store for the next start. */
export function closeRequest(state: CoreState, request: QueuedRequest): void {
  // Its reply was sent: the connection will confirm it or report it as undelivered.
  if (state.heldReplies.sent.has(request)) return;
  const isStored = leaveInStore(state, request);
  if (isStored) request.mayHaveRun = true;
  const why = isStored ? "is stored and runs when the broker starts again" : "was open when the broker stopped";
  endWithFailure(state, request, "CLOSED", why);
}

/**
 * Cancels a request at a worker that still runs it. A sequential worker has no free slot before it has answered
 * (D-LIVE-3).
 */
export function cancelAtWorker(state: CoreState, request: QueuedRequest, code: FailureCode, why?: string): void {
  const { location, address, id, name, isReceived } = request;
  if (location.at !== "worker" || isReceived === false) return;
  const { worker } = location;
  if (worker.traits.isSequential) worker.abandoned = address;
  const { cancel, error } = worker.capabilities;
  if (!cancel) return;
  const message = { type: "cancel" as const, address, requestId: id };
  // P-CANCEL-2.
  const reason = error && why !== undefined ? { code, message: describe(id, name, why) } : undefined;
  state.effects.toWorker(worker, reason === undefined ? message : { ...message, reason });
}

export function sendFailure(
  state: CoreState,
  client: ClientRecord,
  service: ServiceName,
  requestId: RequestId,
  failure: Failure,
): void {
  if (client.isAway) return state.effects.reportDrop(client.id, "undelivered", requestId);
  state.effects.toClient(client, { type: "failure", requestId, service, failure });
}

export function describe(requestId: RequestId, service: ServiceName, why: string): string {
  return `request ${display(requestId)} to "${display(service)}" ${why}`;
}

/** What is known, at this moment, of whether the request ran. */
export function deliveryOf({ location, isReceived, mayHaveRun, rejectedBy }: QueuedRequest): Delivery {
  if (mayHaveRun || (location.at === "worker" && isReceived !== false)) return "maybe-executed";
  return rejectedBy === undefined ? "queued" : "dispatched";
}

/** The timeout counts silence: every partial restarts it. Nothing extends the time for which a request may be stored. */
export function restartTimeout(state: CoreState, request: QueuedRequest, now: Instant): void {
  const { timers, options, storedRequests } = state;
  let timeoutMs = Math.min(request.options.timeoutMs, options.maxTimeoutMs);
  if (request.options.persist) {
    const { expiresAt } = storedRequests.of(request) ?? { expiresAt: Number.POSITIVE_INFINITY };
    timeoutMs = Math.max(0, Math.min(timeoutMs, expiresAt - now));
  }
  if (request.limits === undefined) timers.set(request, timeoutMs, now);
  else setTimeoutWithin(state, request, request.limits, timeoutMs);
}

/** The time that was exceeded and what was missing, for the failure of a request that has expired. */
export function whyExpired(state: CoreState, request: QueuedRequest): string {
  const { options } = state;
  const deadlineMs = passedDeadline(state, request);
  if (deadlineMs !== undefined) return `exceeded its deadline of ${deadlineMs} ms: ${whatWasMissing(state, request)}`;
  const { timeoutMs, persist } = request.options;
  const limitMs = Math.min(timeoutMs, options.maxTimeoutMs);
  if (!persist || limitMs <= options.maxStoredMs) {
    return `exceeded its ${limitMs} ms timeout: ${whatWasMissing(state, request)}`;
  }
  return `was stored for ${options.maxStoredMs} ms, the maximum (maxStoredMs)`;
}

function whatWasMissing(state: CoreState, request: QueuedRequest): string {
  const { at } = request.location;
  if (at === "worker") return "its worker did not reply";
  return at === "store" ? "the store did not confirm it" : whyItWaits(state, request);
}

export function whyItWaits({ services }: CoreState, { route }: QueuedRequest): string {
  return route.service === services.unserved ? "its service has no worker" : "no worker was free";
}

function count({ counts }: CoreState, outcome: RequestOutcome): void {
  if (outcome === "answered") counts.answered += 1;
  else if (outcome === "canceled") counts.canceled += 1;
  else if (outcome === "DEADLINE_EXCEEDED") counts.expired += 1;
  else counts.failures[outcome] += 1;
}
