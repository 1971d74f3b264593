// Reports that libzmq cannot accept a connection, for example because no file descriptor is left. While a
// connection waits, libzmq tries again at once, and would report the same failure many times per millisecond.

import type { Event } from "zeromq";
import { acceptFailure } from "../addresses.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { ConnectionRejection } from "../link.ts";

/** Milliseconds between two reports. */
const INTERVAL_MS = 1_000;

export class AcceptFailures {
  readonly #onFailure: (rejection: ConnectionRejection) => void;
  readonly #clock: Pick<Clock, "now">;
  #reportedAt = Number.NEGATIVE_INFINITY;

  constructor(onFailure: (rejection: ConnectionRejection) => void, clock: Pick<Clock, "now"> = systemClock) {
    this.#onFailure = onFailure;
    this.#clock = clock;
  }

  onEvent(event: Event): void {
    if (event.type !== "accept:error") return;
    const now = this.#clock.now();
    if (now < this.#reportedAt + INTERVAL_MS) return;
    this.#reportedAt = now;
    this.#onFailure({ ...acceptFailure(event.error), localAddress: event.address });
  }
}
