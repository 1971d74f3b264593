// The alarm of a core in a test, set as `EffectLoop` sets it: not after every input, but when the core's next deadline may be
// earlier, and after a tick. So a test that advances to this alarm fails if the core reports an earlier deadline too late.

interface Core {
  nextDeadline(): number | undefined;
  readonly mayWakeEarlier: boolean;
}

export class CoreAlarm {
  readonly #core: Core;
  #at: number | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  /** When it rings; `undefined`: never. */
  get at(): number | undefined {
    return this.#at;
  }

  /** The core has handled this input. */
  onHandled(input: { readonly type: string }): void {
    if (input.type === "tick" || this.#core.mayWakeEarlier) this.#at = this.#core.nextDeadline();
  }
}
