// A clock that only moves when a test says so, and rings every alarm on the way in order.

import type { Alarm, Clock } from "@pigato/transport";

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

  /** Moves on by `ms`, ringing what is due at the very time it is due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextAlarm(); next !== undefined && next.at <= end; next = this.#nextAlarm()) {
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
