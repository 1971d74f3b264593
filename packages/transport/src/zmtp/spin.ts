// Looks for what comes next instead of sleeping until the kernel wakes us: while an immediate is due, the event loop only asks
// whether there is something. To be woken costs more than all else that is done for a request that travels alone. What it
// costs is a core for as long as it lasts, so it is off unless asked for, and bounded.

import type { Clock } from "../clock.ts";
import type { Soon } from "./flusher.ts";

export class Spin {
  readonly #durationMs: number;
  readonly #clock: Pick<Clock, "now">;
  readonly #soon: Soon;
  readonly #onTurn = (): void => this.#turn();
  #isOn = false;
  #hasHeard = false;
  #until = 0;

  /** @param durationMs for how long after the last message; 0: not at all */
  constructor(durationMs: number, clock: Pick<Clock, "now">, soon: Soon) {
    this.#durationMs = durationMs;
    this.#clock = clock;
    this.#soon = soon;
  }

  /** A message came. */
  onHeard(): void {
    this.#hasHeard = true;
    if (this.#isOn || this.#durationMs === 0) return;
    this.#isOn = true;
    this.#soon(this.#onTurn);
  }

  #turn(): void {
    const now = this.#clock.now();
    if (this.#hasHeard) {
      this.#hasHeard = false;
      this.#until = now + this.#durationMs;
    }
    this.#isOn = now < this.#until;
    if (this.#isOn) this.#soon(this.#onTurn);
  }
}
