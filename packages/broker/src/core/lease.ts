// How long peers have been silent. Every message of a peer is a sign of life, so being heard must cost next to nothing: it
// is noted, and the peer's deadline stays where it is. Only when that comes, it is looked at whether the peer has been
// silent for a whole interval; if not, the deadline is set to when it will have been.

import type { Deadline, Deadlines, Instant } from "@pigato/protocol";
import type { Due } from "./records.ts";

/** A peer that must be heard now and then. */
export interface Leased {
  heardAt: Instant;
  /** Whole intervals of silence since it was heard. */
  missed: number;
  readonly lease: Deadline<Due>;
}

/** Deadlines within an interval share so many durations, so that equal ones are cheap; each is up to one part late. */
const PARTS = 16;

/** Starts to count a peer's silence. */
export function startLease(peer: Leased, intervalMs: number, deadlines: Deadlines<Due>, now: Instant): void {
  noteHeard(peer, now);
  deadlines.set(peer.lease, intervalMs, now);
}

/** A sign of life. */
export function noteHeard(peer: Leased, now: Instant): void {
  peer.heardAt = now;
  peer.missed = 0;
}

/**
 * A peer's deadline has come. Returns how many whole intervals it has been silent, one more than the last time at most:
 * if the broker stood still, it did not listen either.
 */
export function countSilence(peer: Leased, intervalMs: number, deadlines: Deadlines<Due>, now: Instant): number {
  const restMs = peer.heardAt + intervalMs - now;
  if (restMs > 0) {
    const partMs = intervalMs / PARTS;
    deadlines.set(peer.lease, Math.ceil(restMs / partMs) * partMs, now);
  } else {
    peer.missed += 1;
    deadlines.set(peer.lease, intervalMs, now);
  }
  return peer.missed;
}
