// A clock that only a test advances, ringing every alarm in order.

import type { Alarm, Clock } from "@pigato/transport";

/** More than any test needs: only a loop reaches it. */
const MAX_STEPS_AT_ONCE = 1_000;

/** Bounds the steps of a simulation at one instant, so that a loop fails its test instead of hanging it. */
export class StepLimit {
  readonly #what: string;
  readonly #max: number;
  #at = Number.NaN;
  #steps = 0;

  /** @param what happens without end, for the error */
  constructor(what: string, max: number = MAX_STEPS_AT_ONCE) {
    this.#what = what;
    this.#max = max;
  }

  /** @throws Error if there were too many steps at this instant */
  onStep(at: number): void {
    if (at !== this.#at) this.#steps = 0;
    this.#at = at;
    this.#steps += 1;
    if (this.#steps > this.#max) throw new Error(`${this.#what} without end at ${at}`);
  }
}

export class FakeClock implements Clock {
  #now: number;
  readonly #alarms = new Set<FakeAlarm>();

  constructor(start = 1_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  alarm(ring: () => void): Alarm {
    const alarm = new FakeAlarm(ring);
    this.#alarms.add(alarm);
    return alarm;
  }

  /**
   * Advances by `ms`, ringing every alarm at the time for which it is set.
   * @throws Error if alarms ring without end
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    const limit = new StepLimit("alarms ring");
    for (let next = this.#nextAlarm(); next !== undefined && next.at <= end; next = this.#nextAlarm()) {
      this.#now = Math.max(this.#now, next.at);
      limit.onStep(this.#now);
      next.fire();
    }
    this.#now = end;
  }

  #nextAlarm(): FakeAlarm | undefined {
    let next: FakeAlarm | undefined;
    for (const alarm of this.#alarms) {
      if (alarm.at !== Number.POSITIVE_INFINITY && (next === undefined || alarm.at < next.at)) next = alarm;
    }
    return next;
  }
}

class FakeAlarm implements Alarm {
  readonly #ring: () => void;
  at: number = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(at: number | undefined): void {
    this.at = at ?? Number.POSITIVE_INFINITY;
  }

  fire(): void {
    this.at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}
