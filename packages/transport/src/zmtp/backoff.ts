// How long to wait before connecting again: twice as long after each failure, up to a bound, and half of it by chance, so
// that the peers of a router that comes back do not all come at once.

/** Doubling more often changes nothing. */
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
