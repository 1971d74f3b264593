// The alarm of a core in a test, set as `EffectLoop` sets it: not after every input, but when the core's next deadline may be
// earlier, and after a tick. A test fails as soon as the core has an earlier deadline that it does not report.

import { StepLimit } from "./fake-clock.ts";
import { invariant } from "./invariants.ts";

interface Core {
  nextDeadline(): number | undefined;
  readonly mayWakeEarlier: boolean;
}

export class CoreAlarm {
  readonly #core: Core;
  readonly #limit = new StepLimit("the core asks for a tick");
  #at: number | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Rings at every deadline within the next milliseconds.
   * @param ring passes a tick to the core at an instant
   * @returns the instant after those milliseconds
   * @throws Error if it rings without end
   */
  advance(now: number, ms: number, ring: (at: number) => void): number {
    const end = now + ms;
    for (let at = this.#nextRing(now, end); at !== undefined; at = this.#nextRing(at, end)) ring(at);
    return end;
  }

  /** The core has handled this input. */
  onHandled(input: { readonly type: string }): void {
    const isAsked = input.type === "tick" || this.#core.mayWakeEarlier;
    const next = this.#core.nextDeadline();
    if (isAsked) this.#at = next;
    else invariant(isNoEarlier(next, this.#at), `the core is due at ${next}, and asked for a tick at ${this.#at}`);
  }

  #nextRing(now: number, end: number): number | undefined {
    if (Number.isNaN(this.#at)) throw new Error("the next deadline of the core is NaN");
    if (this.#at === undefined || this.#at > end) return undefined;
    const at = Math.max(now, this.#at);
    this.#limit.onStep(at);
    return at;
  }
}

function isNoEarlier(next: number | undefined, alarm: number | undefined): boolean {
  return (next ?? Number.POSITIVE_INFINITY) >= (alarm ?? Number.POSITIVE_INFINITY);
}
