// A clock that only a test advances, ringing every alarm in order.

import type { Alarm, Clock } from "@pigato/transport";

/** More alarms than any test sets: only code that repeatedly sets an alarm for the present reaches it. */
const MAX_RINGS = 1_000_000;

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
    let rings = 0;
    for (let next = this.#nextAlarm(); next !== undefined && next.at <= end; next = this.#nextAlarm()) {
      rings += 1;
      if (rings > MAX_RINGS) throw new Error(`alarms ring without end at ${this.#now}`);
      this.#now = Math.max(this.#now, next.at);
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
