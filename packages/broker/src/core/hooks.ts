// The lifecycle of a request, as an extension point. The handlers call these functions; each of them lists the features that
// attach to that occasion, in order. Reply cache, persistence and held replies attach here. To add a feature, for example
// metrics, add a call to each occasion that it needs.
//
// A feature may change its own tables and emit effects. It must not end, place or remove the request, and must not throw.
// `onAccepted` is the one exception, see there.
//
// The calls are written out because they are on the path of every request: a list of callbacks made a request 7 % more
// expensive (apps/bench, core-load).

import type { Instant } from "@pigato/protocol/internal";
import { cacheFinal, collectPartial } from "./cache-replies.ts";
import { deleteStored, storeAccepted } from "./persistence.ts";
import type { FinalMessage, PartialMessage, PartialsMessage, QueuedRequest, WorkerRecord } from "./queued-request.ts";
import type { CoreState } from "./state.ts";

export type RequestOutcome =
  /** The final reply went out. */
  | "finished"
  /** It ended with a failure. */
  | "failed"
  /** Its client no longer waits for it. */
  | "canceled";

/**
 * The request is in all tables and is about to be placed.
 * @returns true if a feature holds it back; the feature has given it a location and calls `placeAccepted` later
 */
export function onAccepted(state: CoreState, request: QueuedRequest): boolean {
  return request.options.persist && storeAccepted(state, request);
}

/** The request goes out to a worker, maybe not for the first time. */
export function onDispatched(_state: CoreState, _request: QueuedRequest, _worker: WorkerRecord): void {
  // No feature needs it yet.
}

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
