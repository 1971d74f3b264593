// How long a peer has been silent. Every message of a peer proves that it is alive, so noting a message must cost next to
// nothing: it stores the time and leaves the peer's timer alone. When the timer fires, it checks whether the peer has been
// silent for a whole interval; if not, it is set to the time when the interval will be over.

import type { Deadline, Deadlines, Instant } from "@pigato/protocol/internal";
import type { Timer } from "./timer.ts";

/** A peer that must send something now and then. */
export interface HeartbeatLease {
  receivedAt: Instant;
  /** When bytes of an unfinished message came last. */
  bytesAt: Instant;
  /** When such bytes last made the broker send a heartbeat. */
  promptedAt: Instant;
  /** Whole intervals of silence since its last message. */
  missed: number;
  readonly lease: Deadline<Timer>;
}

/** Timers within an interval share this many durations, so that equal ones are cheap; each is up to one step late. */
const STEPS = 16;

/** Starts to count the silence of a peer. */
export function startLease(peer: HeartbeatLease, intervalMs: number, timers: Deadlines<Timer>, now: Instant): void {
  noteReceived(peer, now);
  timers.set(peer.lease, intervalMs, now);
}

export function noteReceived(peer: HeartbeatLease, now: Instant): void {
  peer.receivedAt = now;
  peer.missed = 0;
}

/**
 * Bytes of an unfinished message came: a sign of life.
 * @returns whether the peer has sent no message for an interval, once per interval
 */
export function noteBytes(peer: HeartbeatLease, intervalMs: number, now: Instant): boolean {
  peer.bytesAt = now;
  peer.missed = 0;
  if (now - Math.max(peer.receivedAt, peer.promptedAt) < intervalMs) return false;
  peer.promptedAt = now;
  return true;
}

/** When the last sign of life came. */
export function aliveAt(peer: HeartbeatLease): Instant {
  return Math.max(peer.receivedAt, peer.bytesAt);
}

/**
 * The timer of a peer fired. Returns how many whole intervals the peer has been silent, one more than the last time at
 * most: if the broker was suspended, it did not listen either.
 */
export function countSilence(peer: HeartbeatLease, intervalMs: number, timers: Deadlines<Timer>, now: Instant): number {
  const restMs = aliveAt(peer) + intervalMs - now;
  if (restMs > 0) {
    const stepMs = intervalMs / STEPS;
    timers.set(peer.lease, Math.ceil(restMs / stepMs) * stepMs, now);
  } else {
    peer.missed += 1;
    timers.set(peer.lease, intervalMs, now);
  }
  return peer.missed;
}
