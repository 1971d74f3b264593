// The lifecycle of a request, as an extension point: accepted, dispatched, partial, final, ended. The handlers call one function
// for each event, which calls the features that need it, in order: reply cache, persistence and held replies. Metrics and traces
// attach here, too.
//
// A feature may change its own tables and emit effects. It must not end, place or remove the request, and must not throw.
// `onAccepted` is the one exception, see there.
//
// Direct calls, because they are on the path of every request: a list of callbacks made a request 7 % more expensive
// (apps/bench, core-load).

import type { Instant } from "@pigato/protocol/internal";
import { cacheFinal, collectPartial } from "./cache-replies.ts";
import { deleteStored, storeAccepted } from "./persistence.ts";
import type { FinalMessage, PartialMessage, PartialsMessage, QueuedRequest, WorkerRecord } from "./queued-request.ts";
import type { RequestOutcome } from "./request-counts.ts";
import type { CoreState } from "./state.ts";

/**
 * The request is in all tables and is about to be placed.
 * @returns true if a feature holds it back; the feature has given it a location and calls `placeAccepted` later
 */
export function onAccepted(state: CoreState, request: QueuedRequest, now: Instant): boolean {
  return request.options.persist && storeAccepted(state, request, now);
}

/**
 * The request goes to a worker, for the first time or again. Empty, because no feature needs it: it completes the events, so
 * that a feature such as dispatch latency needs no change outside of this file.
 */
export function onDispatched(_state: CoreState, _request: QueuedRequest, _worker: WorkerRecord): void {}

/**
 * A worker sent partials; `request.hasPartial` says whether others came before.
 * @param isDelivered false if the client does not get them
 */
export function onPartial(
  state: CoreState,
  request: QueuedRequest,
  message: PartialMessage | PartialsMessage,
  isDelivered: boolean,
): void {
  collectPartial(state, request, message, isDelivered);
}

/** A worker sent the final reply. The worker still holds the request, which ends now, or once its client has the reply. */
export function onFinal(state: CoreState, request: QueuedRequest, message: FinalMessage, now: Instant): void {
  cacheFinal(state, request, message, now);
}

/** The request has left the open requests; its location is still the last one. */
export function onEnded(state: CoreState, request: QueuedRequest, _outcome: RequestOutcome): void {
  state.replyCache.forget(request);
  if (!request.options.persist) return;
  state.heldReplies.forget(request);
  deleteStored(state, request);
}
