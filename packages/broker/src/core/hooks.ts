// The life of a request, as an extension point. A feature that must know when requests are accepted, dispatched, answered or
// ended provides `RequestHooks`; the handlers know no feature by name. Reply cache, persistence and retained replies attach
// here (core.ts lists them). To add a feature: write a function that returns hooks over the state, and add it to that list.
//
// Hooks run in the order of that list. They may change their own tables and emit effects, but they must not end, place or
// remove the request they are called with; `onAccepted` is the one exception, see there. They must not throw.

import type { FromWorker, Instant } from "@pigato/protocol";
import type { QueuedRequest, WorkerRecord } from "./queued-request.ts";

export type PartialMessage = FromWorker & { readonly type: "partial" };
export type PartialsMessage = FromWorker & { readonly type: "partials" };
export type FinalMessage = FromWorker & { readonly type: "final" };

export type RequestOutcome =
  /** The final reply went out. */
  | "finished"
  /** It ended with a failure. */
  | "failed"
  /** Its client no longer waits for it. */
  | "canceled";

export interface RequestHooks {
  /**
   * The request is in all tables and is about to be placed.
   * @returns true to hold it back; the hook has given it a location then, and calls `placeAccepted` later
   */
  readonly onAccepted?: (request: QueuedRequest) => boolean;
  /** The request goes out to a worker, maybe not for the first time. */
  readonly onDispatched?: (request: QueuedRequest, worker: WorkerRecord) => void;
  /**
   * A worker sent partials; `request.hasPartial` says whether others came before.
   * @param isDelivered false if the client does not get them
   */
  readonly onPartial?: (
    request: QueuedRequest,
    message: PartialMessage | PartialsMessage,
    isDelivered: boolean,
  ) => void;
  /** A worker sent the final reply. The request is still at the worker. It ends now, or once its client has the reply. */
  readonly onFinal?: (request: QueuedRequest, message: FinalMessage, now: Instant) => void;
  /** The request has left the open requests; its location is still the last one. */
  readonly onEnded?: (request: QueuedRequest, outcome: RequestOutcome) => void;
}

/** The hooks by occasion, so that an occasion without hooks costs nothing. */
export interface HookLists {
  readonly accepted: readonly NonNullable<RequestHooks["onAccepted"]>[];
  readonly dispatched: readonly NonNullable<RequestHooks["onDispatched"]>[];
  readonly partial: readonly NonNullable<RequestHooks["onPartial"]>[];
  readonly final: readonly NonNullable<RequestHooks["onFinal"]>[];
  readonly ended: readonly NonNullable<RequestHooks["onEnded"]>[];
}

export function hookLists(features: readonly RequestHooks[]): HookLists {
  return {
    accepted: features.flatMap((hooks) => hooks.onAccepted ?? []),
    dispatched: features.flatMap((hooks) => hooks.onDispatched ?? []),
    partial: features.flatMap((hooks) => hooks.onPartial ?? []),
    final: features.flatMap((hooks) => hooks.onFinal ?? []),
    ended: features.flatMap((hooks) => hooks.onEnded ?? []),
  };
}
