// Heartbeat arithmetic that all peers share: how long a silent peer counts as alive. A peer is judged by the interval
// that it announced, or, if it is an old one that announces nothing, by the interval it is seen to keep. So two ends
// with different settings do not cut each other off.

/** Milliseconds between heartbeats. @defaultValue of every peer's `heartbeat` option */
export const DEFAULT_HEARTBEAT_MS = 2_500;
/** Silent intervals after which a peer counts as gone. */
export const DEFAULT_LIVENESS = 3;
/**
 * The fewest silent intervals that an option may ask for. With one, every peer would count as gone between two of its
 * heartbeats: they come an interval apart, and the later one takes a moment longer to arrive.
 */
export const MIN_LIVENESS = 2;
/** The longest interval that a peer may claim or show; a longer one counts as this. */
export const MAX_HEARTBEAT_MS = 60_000;

/** What is known of the interval at which a peer is heard. */
export interface Rhythm {
  /** The interval it announced, in milliseconds. */
  readonly announcedMs: number | undefined;
  /** The longest pause seen between two of its heartbeats, in milliseconds. */
  readonly seenMs: number | undefined;
  /** Whether it has sent a heartbeat at all: one that has not is judged by our own interval. */
  readonly hasBeaten: boolean;
}

export const UNKNOWN_RHYTHM: Rhythm = Object.freeze({ announcedMs: undefined, seenMs: undefined, hasBeaten: false });

/** The interval by which to judge a peer, in milliseconds. Never shorter than our own. */
export function intervalOf(rhythm: Rhythm, ownMs: number): number {
  const theirs = rhythm.announcedMs ?? rhythm.seenMs ?? (rhythm.hasBeaten ? DEFAULT_HEARTBEAT_MS : ownMs);
  return Math.max(ownMs, Math.min(theirs, MAX_HEARTBEAT_MS));
}

/** What a heartbeat that came `pauseMs` after the one before (`undefined`: the first) teaches about its sender. */
export function learnRhythm(rhythm: Rhythm, pauseMs: number | undefined): Rhythm {
  const seenMs = pauseMs === undefined ? rhythm.seenMs : Math.max(pauseMs, rhythm.seenMs ?? 0);
  if (rhythm.hasBeaten && seenMs === rhythm.seenMs) return rhythm;
  return { ...rhythm, seenMs, hasBeaten: true };
}
