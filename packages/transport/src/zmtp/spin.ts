// Busy polling: while an immediate is scheduled, the event loop polls for data instead of sleeping in the kernel. A wakeup costs
// more than all else for a single request. Polling occupies a core while it lasts, so it is bounded, and off by default.

import type { Clock } from "../clock.ts";
import type { Soon } from "./flusher.ts";

export class Spin {
  readonly #durationMs: number;
  readonly #clock: Pick<Clock, "now">;
  readonly #soon: Soon;
  readonly #onTurn = (): void => this.#turn();
  #isOn = false;
  #hasMessage = false;
  #until = 0;

  /** @param durationMs how long to poll after the last message; 0: never */
  constructor(durationMs: number, clock: Pick<Clock, "now">, soon: Soon) {
    this.#durationMs = durationMs;
    this.#clock = clock;
    this.#soon = soon;
  }

  /** A message arrived. */
  onMessage(): void {
    this.#hasMessage = true;
    if (this.#isOn || this.#durationMs === 0) return;
    this.#isOn = true;
    this.#soon(this.#onTurn);
  }

  #turn(): void {
    const now = this.#clock.now();
    if (this.#hasMessage) {
      this.#hasMessage = false;
      this.#until = now + this.#durationMs;
    }
    this.#isOn = now < this.#until;
    if (this.#isOn) this.#soon(this.#onTurn);
  }
}
