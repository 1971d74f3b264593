// Warns when a peer that was started has had no connection to a broker for three seconds, once for each time without one. A clock
// of the user that throws costs the warning and nothing else.

import type { Alarm, Clock } from "@pigato/transport";
import { guarded } from "./guard.ts";
import type { Warnings } from "./warnings.ts";

const PATIENCE_MS = 3_000;

export interface WatchOptions {
  readonly clock: Clock;
  readonly warnings: Warnings;
  /** The peer, as the warning names it: "a client". */
  readonly name: string;
  /** The address, for the log. */
  readonly address: () => string;
  /** Why there is no connection. */
  readonly reason: () => string;
}

export class ConnectionWatch {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  #state: "stopped" | "waiting" | "connected" = "stopped";

  constructor({ clock, warnings, name, address, reason }: WatchOptions) {
    this.#clock = clock;
    this.#alarm = clock.alarm(() => {
      if (this.#state !== "waiting") return;
      const text = `${name} is not connected after ${PATIENCE_MS / 1000} s: ${reason()}`;
      warnings.warn("PIGATO_NOT_CONNECTED", text, { address: address() });
    });
  }

  get isConnected(): boolean {
    return this.#state === "connected";
  }

  /** The peer was started, or has lost its connection. */
  onWaiting(): void {
    if (this.#state === "waiting") return;
    this.#state = "waiting";
    guarded(() => this.#alarm.set(this.#clock.now() + PATIENCE_MS));
  }

  onConnected(): void {
    this.#state = "connected";
    guarded(() => this.#alarm.set(undefined));
  }

  onStopped(): void {
    this.#state = "stopped";
    guarded(() => this.#alarm.set(undefined));
  }
}
