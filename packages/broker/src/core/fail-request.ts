// The ways in which requests end without a final reply: failed, expired, canceled, or closed because the broker stops.
// Which requests end in one step, and in which order, is decided here; end-request.ts holds the steps of one end.

import type { Failure, FailureCode } from "@pigato/protocol";
import {
  cancelAtWorker,
  closeRequest,
  endRequest,
  endUnsent,
  endWithFailure,
  failureOf,
  whyExpired,
  whyItWaits,
} from "./end-request.ts";
import { completeReply, expireReply } from "./held-replies.ts";
import { AT_CLIENT, type QueuedRequest } from "./queued-request.ts";
import { hasWaitedTooLong, onWaited } from "./request-limits.ts";
import type { CoreState } from "./state.ts";

/** Fails a request. The client is sent the failure; for a persistent request, at the latest when the client reconnects. */
export function failRequest(
  state: CoreState,
  request: QueuedRequest,
  code: FailureCode,
  why: string,
  detail?: Failure["detail"],
): void {
  const { id, name, options } = request;
  if (!options.persist) return endWithFailure(state, request, code, why, detail);
  const failure = failureOf(request, code, why, detail);
  state.effects.reportFailure(request, code);
  cancelAtWorker(state, request, code, why);
  completeReply(state, request, { type: "failure", requestId: id, service: name, failure }, code);
}

/**
 * The timeout of a request passed. A client that negotiated nothing has its own timer, and would take a failure after that
 * for the reply to a request that it does not know (P-TIME-3).
 */
export function expireRequest(state: CoreState, request: QueuedRequest): void {
  if (request.location === AT_CLIENT) return expireReply(state, request);
  if (hasWaitedTooLong(state, request)) return failUnaccepted(state, request);
  const { capabilities, traits } = request.client;
  const why = whyExpired(state, request);
  if (!capabilities.error && !traits.reportsExpiry) return endUnsent(state, request, "DEADLINE_EXCEEDED", why);
  endWithFailure(state, request, "DEADLINE_EXCEEDED", why);
}

/** P-TIME-6. */
function failUnaccepted(state: CoreState, request: QueuedRequest): void {
  const limitMs = request.limits?.acceptMs;
  onWaited(state, request);
  const why = `was not accepted by a worker in ${limitMs} ms (acceptTimeout): ${whyItWaits(state, request)}`;
  failRequest(state, request, "UNAVAILABLE", why);
}

export function expireRequests(state: CoreState, requests: Iterable<QueuedRequest>): void {
  for (const request of waitingFirst(requests)) expireRequest(state, request);
}

/** The client of these requests is gone. */
export function cancelRequests(state: CoreState, requests: Iterable<QueuedRequest>): void {
  for (const request of waitingFirst(requests))
    endRequest(state, request, "canceled", "ended because its client is gone");
}

export function closeRequests(state: CoreState, requests: Iterable<QueuedRequest>): void {
  for (const request of waitingFirst(requests)) closeRequest(state, request);
}

/** While the broker drains, no worker joins: requests for a service without workers have nothing to wait for. */
export function closeUnserved(state: CoreState): void {
  if (state.phase.name === "serving") return;
  const { unserved } = state.services;
  const requests = [...unserved.rejected];
  for (const { queue } of state.services.routesOf(unserved)) for (const request of queue) requests.push(request);
  closeRequests(state, requests);
}

/** Waiting requests before those in flight. Otherwise a freed slot would go to a request that is about to end. */
function waitingFirst(requests: Iterable<QueuedRequest>): QueuedRequest[] {
  const waiting: QueuedRequest[] = [];
  const inFlight: QueuedRequest[] = [];
  for (const request of requests) (request.location.at === "worker" ? inFlight : waiting).push(request);
  return waiting.concat(inFlight);
}
