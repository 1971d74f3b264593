// Exponential backoff with jitter: the pause before the next attempt doubles after each failure, up to a bound, and half of it is
// random, so that the peers of a router that restarts do not all reconnect at once.

/** Keeps the power of two in range. */
const MAX_DOUBLINGS = 30;

export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  readonly #random: () => number;
  #failures = 0;

  /** @param random from 0 up to, but not including, 1 */
  constructor(firstMs: number, longestMs: number, random: () => number) {
    this.#firstMs = firstMs;
    this.#longestMs = Math.max(firstMs, longestMs);
    this.#random = random;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const pause = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, MAX_DOUBLINGS);
    return pause * (0.5 + this.#random() / 2);
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#failures = 0;
  }
}
