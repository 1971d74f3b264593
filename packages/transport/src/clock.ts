// Time: a monotonic clock in milliseconds, its alarms, and timeouts.

import { clearTimeout, monotonicNow, setImmediate, setTimeout } from "./timers.ts";

export interface Clock {
  /** Milliseconds of a monotonic clock with an arbitrary origin. */
  now(): number;
  /** Creates an alarm that calls `ring` at the time it is set to. */
  alarm(ring: () => void): Alarm;
}

export interface Alarm {
  /** Rings once at `at`, or as soon as possible after it. Replaces the earlier time. `undefined`: never. */
  set(at: number | undefined): void;
}

/** The longest time of a timer, and of libzmq: some 25 days, in milliseconds. */
export const MAX_TIMER_MS = 0x7fff_ffff;

/** The process's monotonic clock. Its alarms keep the process alive while set. */
export const systemClock: Clock = {
  now: monotonicNow,
  alarm: (ring) => new SystemAlarm(ring),
};

class SystemAlarm implements Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #at = Number.POSITIVE_INFINITY;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  // Called after every message. An alarm that moves to a later time keeps its timer and rearms when that fires.
  set(at: number | undefined): void {
    this.#at = at ?? Number.POSITIVE_INFINITY;
    if (this.#at === Number.POSITIVE_INFINITY) this.#disarm();
    else if (this.#at < this.#timerAt) this.#arm();
  }

  #arm(): void {
    this.#disarm();
    const delay = Math.min(Math.max(0, Math.ceil(this.#at - monotonicNow())), MAX_TIMER_MS);
    this.#timerAt = this.#at;
    this.#timer = setTimeout(() => this.#onTimer(), delay);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  #onTimer(): void {
    this.#disarm();
    if (this.#at === Number.POSITIVE_INFINITY) return;
    if (monotonicNow() < this.#at) return this.#arm();
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}

/** An alarm that rings after sockets were read and written, because a blocked event loop delays that as well. */
export function alarmAfterIo(ring: () => void): Alarm {
  return systemClock.alarm(() => setImmediate(ring));
}

/** Resolves with `promise`, or after `ms` milliseconds, whichever comes first. */
export async function withTimeout(promise: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, MAX_TIMER_MS));
  });
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}
