// Heartbeats for requests: they notify workers that a caller still waits (P-HB-8).

import type { Instant } from "@pigato/protocol/internal";
import type { Call, Calls } from "./calls.ts";
import type { Effect } from "./effects.ts";

/** Requests that get a heartbeat at one interval: with more, they take turns. */
const MAX_REQUEST_HEARTBEATS = 1_000;

export class RequestHeartbeats {
  readonly #calls: Calls;
  readonly #emit: (effect: Effect) => void;

  constructor(calls: Calls, emit: (effect: Effect) => void) {
    this.#calls = calls;
    this.#emit = emit;
  }

  send({ id, isWaiting }: Call): void {
    if (!isWaiting) this.#emit({ type: "send", message: { type: "request-heartbeat", requestId: id } });
  }

  /** For the requests that were sent before then. */
  sendLong(since: Instant): void {
    for (const call of this.#calls.sentBefore(since, MAX_REQUEST_HEARTBEATS)) this.send(call);
  }
}
