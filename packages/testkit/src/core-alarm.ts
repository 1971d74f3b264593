// The alarm of a core in a test, set as `EffectLoop` sets it: not after every input, but when the core's next deadline may be
// earlier, and after a tick. So a test that advances to this alarm fails if the core reports an earlier deadline too late.

import { StepLimit } from "./fake-clock.ts";

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
   * When it rings next, if it rings by `end`.
   * @throws Error if it rings without end
   */
  nextRing(now: number, end: number): number | undefined {
    if (Number.isNaN(this.#at)) throw new Error("the next deadline of the core is NaN");
    if (this.#at === undefined || this.#at > end) return undefined;
    const at = Math.max(now, this.#at);
    this.#limit.onStep(at);
    return at;
  }

  /** The core has handled this input. */
  onHandled(input: { readonly type: string }): void {
    if (input.type === "tick" || this.#core.mayWakeEarlier) this.#at = this.#core.nextDeadline();
  }
}
