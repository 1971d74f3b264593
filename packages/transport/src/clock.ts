// The clock that shells hand to their cores: monotonic milliseconds, and alarms.

export interface Clock {
  /** Milliseconds of a monotonic clock; the zero means nothing. */
  now(): number;
  /** A new alarm that calls `ring` at the time it is set to. */
  alarm(ring: () => void): Alarm;
}

export interface Alarm {
  /** Rings once at `at` (or as soon as possible after it), forgetting what it was set to before. `undefined`: never. */
  set(at: number | undefined): void;
}

/** The longest delay that a timer takes; what is further away is looked at again then. */
const MAX_DELAY_MS = 0x7fff_ffff;

/** The process's monotonic clock. Its alarms keep the process alive while set. */
export const systemClock: Clock = {
  now: () => performance.now(),
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

  // Called after every message: an alarm that moves later keeps its timer and looks again when that fires.
  set(at: number | undefined): void {
    this.#at = at ?? Number.POSITIVE_INFINITY;
    if (this.#at === Number.POSITIVE_INFINITY) this.#disarm();
    else if (this.#at < this.#timerAt) this.#arm();
  }

  #arm(): void {
    this.#disarm();
    const delay = Math.min(Math.max(0, Math.ceil(this.#at - performance.now())), MAX_DELAY_MS);
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
    if (performance.now() < this.#at) return this.#arm();
    this.#at = Number.POSITIVE_INFINITY;
    this.#ring();
  }
}
