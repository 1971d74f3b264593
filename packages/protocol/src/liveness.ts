// Heartbeat arithmetic of all peers: how long a silent peer counts as alive. The interval is the one that the peer announced or,
// for an old peer that announces none, the one observed. So two ends with different settings do not disconnect each other.

/** Milliseconds between heartbeats. @defaultValue of every peer's `heartbeat` option */
export const DEFAULT_HEARTBEAT_MS = 2_500;
/** Silent intervals after which a peer counts as lost. */
export const DEFAULT_LIVENESS = 3;
/**
 * The minimum of the liveness options. With 1, a peer would expire between two heartbeats: they come one interval apart, and
 * a heartbeat may arrive a moment later than the one before.
 */
export const MIN_LIVENESS = 2;
/** The longest interval of a peer, announced or observed; a longer one counts as this. */
export const MAX_HEARTBEAT_MS = 60_000;

/** What is known of a peer's heartbeat interval. */
export interface HeartbeatTiming {
  /** The interval it announced, in milliseconds. */
  readonly announcedMs: number | undefined;
  /** The longest observed pause between two of its heartbeats, in milliseconds. */
  readonly seenMs: number | undefined;
  /** Whether it has sent a heartbeat. Until then, our own interval applies. */
  readonly hasSentHeartbeat: boolean;
}

export const UNKNOWN_TIMING: HeartbeatTiming = Object.freeze({
  announcedMs: undefined,
  seenMs: undefined,
  hasSentHeartbeat: false,
});

/** The interval that applies to a peer, in milliseconds. Never shorter than our own. */
export function intervalOf(rhythm: HeartbeatTiming, ownMs: number): number {
  const theirs = rhythm.announcedMs ?? rhythm.seenMs ?? (rhythm.hasSentHeartbeat ? DEFAULT_HEARTBEAT_MS : ownMs);
  return Math.max(ownMs, Math.min(theirs, MAX_HEARTBEAT_MS));
}

/** The timing after a heartbeat that came `pauseMs` after the previous one (`undefined` for the first). */
export function observeHeartbeat(rhythm: HeartbeatTiming, pauseMs: number | undefined): HeartbeatTiming {
  const seenMs = pauseMs === undefined ? rhythm.seenMs : Math.max(pauseMs, rhythm.seenMs ?? 0);
  if (rhythm.hasSentHeartbeat && seenMs === rhythm.seenMs) return rhythm;
  return { ...rhythm, seenMs, hasSentHeartbeat: true };
}
