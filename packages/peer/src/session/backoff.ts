// Exponential backoff with jitter: how long to wait before the next attempt to connect. The jitter spreads the peers of a
// restarted broker, so that they do not all reconnect in the same millisecond.

export interface Backoff {
  /** The pause before the first new attempt, in milliseconds. */
  readonly firstMs: number;
  /** The longest pause, in milliseconds. */
  readonly maxMs: number;
}

/** The share of a pause that jitter may remove. */
const JITTER = 0.5;

/**
 * Milliseconds to wait before attempt `attempt` (1 is the first new one).
 * @param random a number in [0, 1)
 */
export function pauseBefore(attempt: number, backoff: Backoff, random: number): number {
  const doubled = backoff.firstMs * 2 ** Math.min(attempt - 1, 30);
  return Math.min(doubled, Math.max(backoff.firstMs, backoff.maxMs)) * (1 - JITTER * random);
}
