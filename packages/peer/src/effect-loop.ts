// The loop between a pure core and the world, shared by the broker, the worker, the client and the scenario harness.
//
// Invariants:
// - One input at a time. All effects of an input are performed before the next input. Inputs that are applied meanwhile are
// queued.
// - User code (listeners, handlers, callbacks) is a notice. Notices are delivered after the effects, in order, and never
//   within each other. An input that user code applies is handled at once, so its result can be read when `apply` returns.
// - An exception in the core, an effect or a notice becomes an uncaught exception. It never stops the loop, and never
//   affects another effect, input or notice.
// - The alarm rings at the core's next deadline or earlier. It is set after every input, unless the core reports that the next
//   deadline is no earlier than before.
//
// On the path of every message: `apply` allocates nothing unless it must queue. Measured by apps/bench.

import type { Instant } from "@pigato/protocol/internal";
import type { Alarm, Clock } from "@pigato/transport";
import { Fifo } from "./fifo.ts";
import { throwAsync } from "./guard.ts";

/** Informs a core that a deadline may have passed. May come late, early or twice. */
export interface Tick {
  readonly type: "tick";
}

/** A pure state machine. The same inputs and times give the same effects. */
export interface Core<Input, Effect> {
  handle(input: Input | Tick, now: Instant): readonly Effect[];
  /** When the core wants a tick; `undefined` for never. */
  nextDeadline(): Instant | undefined;
  /**
   * Whether `nextDeadline` may return an earlier instant than it did last, or none for the first time. Without it, the loop asks
   * for the next deadline after every input.
   */
  readonly mayWakeEarlier?: boolean;
}

/** The side of the loop that performs effects. */
export interface Shell<Effect, Notice = never> {
  /**
   * Performs one effect. Never waits and never calls user code: it passes user code to `loop.notify`. A failure returns as an
   * input, by `loop.apply`.
   */
  perform(effect: Effect): void;
  /** Runs the user code that a notice stands for. */
  deliver?(notice: Notice): void;
  /**
   * Called after all effects of the queued inputs and before the inputs that they caused. Applies inputs that must follow
   * those.
   */
  settle?(): void;
}

export class EffectLoop<Input extends object, Effect, Notice extends object = never> {
  readonly #core: Core<Input, Effect>;
  readonly #shell: Shell<Effect, Notice>;
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  readonly #inputs = new Fifo<Input | Tick>();
  /** The first notice, because there is seldom a second one. */
  #notice: Notice | undefined;
  /** The notices after it. */
  readonly #notices = new Fifo<Notice>();
  readonly #hasSettle: boolean;
  /** The latest time of the clock. */
  #now: Instant = Number.NEGATIVE_INFINITY;
  #isApplying = false;
  #hasRung = false;
  #isDelivering = false;
  #isClosed = false;

  constructor(core: Core<Input, Effect>, shell: Shell<Effect, Notice>, clock: Clock) {
    this.#core = core;
    this.#shell = shell;
    this.#clock = clock;
    this.#hasSettle = shell.settle !== undefined;
    this.#alarm = clock.alarm(() => {
      this.#hasRung = true;
      this.apply(TICK);
    });
  }

  /** Handles an input: at once, or, while effects are being performed, after them. Ignored after `close`. */
  apply(input: Input | Tick): void {
    if (this.#isClosed) return;
    if (this.#isApplying) {
      this.#inputs.push(input);
      return;
    }
    this.#isApplying = true;
    this.#step(input);
    if (this.#hasSettle) this.#settle();
    while (this.#inputs.length > 0) {
      for (let left = this.#inputs.length; left > 0; left--) this.#stepNext();
      if (this.#hasSettle) this.#settle();
    }
    this.#isApplying = false;
    if (this.#hasRung || this.#core.mayWakeEarlier !== false) this.#setAlarm();
    if (this.#notice !== undefined) this.#deliver();
  }

  /** Delivers a notice: at once, or after the current effects and the notices before it. */
  notify(notice: Notice): void {
    if (this.#notice === undefined) this.#notice = notice;
    else this.#notices.push(notice);
    if (!this.#isApplying) this.#deliver();
  }

  /** Stops: drops queued inputs, ignores new ones, never ticks again. Notices are still delivered. */
  close(): void {
    this.#isClosed = true;
    this.#inputs.clear();
    this.#setAlarm();
  }

  #stepNext(): void {
    const input = this.#inputs.shift();
    if (input !== undefined) this.#step(input);
  }

  #step(input: Input | Tick): void {
    try {
      for (const effect of this.#core.handle(input, this.#readClock())) {
        try {
          this.#shell.perform(effect);
        } catch (error) {
          throwAsync(error);
        }
      }
    } catch (error) {
      throwAsync(error);
    }
  }

  /** A clock that throws, goes back or is no number stands still: the input must not be lost. */
  #readClock(): Instant {
    try {
      const now = this.#clock.now();
      if (now >= this.#now) this.#now = now;
    } catch (error) {
      throwAsync(error);
    }
    return this.#now === Number.NEGATIVE_INFINITY ? 0 : this.#now;
  }

  #settle(): void {
    try {
      this.#shell.settle?.();
    } catch (error) {
      throwAsync(error);
    }
  }

  #setAlarm(): void {
    this.#hasRung = false;
    try {
      this.#alarm.set(this.#isClosed ? undefined : this.#core.nextDeadline());
    } catch (error) {
      throwAsync(error);
    }
  }

  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let notice = this.#notice; notice !== undefined; notice = this.#notice) {
      this.#notice = this.#notices.shift();
      try {
        this.#shell.deliver?.(notice);
      } catch (error) {
        throwAsync(error);
      }
    }
    this.#isDelivering = false;
  }
}

const TICK: Tick = Object.freeze({ type: "tick" });
