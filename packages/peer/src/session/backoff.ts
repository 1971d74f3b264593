// How long to wait before the next attempt to connect: doubling from the first pause to the longest, spread by jitter
// so that a thousand peers of a restarted broker do not come back in the same millisecond.

export interface Backoff {
  /** Milliseconds before the first new attempt. */
  readonly firstMs: number;
  /** Milliseconds that no pause exceeds. */
  readonly maxMs: number;
}

/** The share of a pause that jitter may take away. */
const JITTER = 0.5;

/**
 * Milliseconds to wait before attempt `attempt` (1 is the first new one).
 * @param random a number from 0 up to 1, injected so that equal inputs give equal pauses
 */
export function pauseBefore(attempt: number, backoff: Backoff, random: number): number {
  const doubled = backoff.firstMs * 2 ** Math.min(attempt - 1, 30);
  return Math.min(doubled, Math.max(backoff.firstMs, backoff.maxMs)) * (1 - JITTER * random);
}
