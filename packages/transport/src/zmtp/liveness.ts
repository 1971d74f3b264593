// Decides whether the other end of a connection is alive, by the time of its last data. It has no clock and no socket: callers
// pass the time, and its alarm rings when the next check is due.
//
// The end that connected sends a PING when either end was quiet, and announces how long it may be silent itself (TTL). The end
// that listens applies the announced TTL and sends no PING: a ZMTP 3.0 peer would not answer.

import type { Alarm } from "../clock.ts";
import type { Violation } from "./wire.ts";

/** Milliseconds between two checks of the active end. If either end was quiet meanwhile, it sends a PING. */
const PING_INTERVAL_MS = 2_500;
/** Milliseconds without data after which an end that answers PING is gone. */
const SILENCE_MS = 10_000;
/** The TTL that this end announces. It is longer, because this event loop may be blocked. */
export const TTL_MS = 20_000;

export interface LivenessSettings {
  /** This end sends PING. */
  readonly isActive: boolean;
  readonly handshakeTimeoutMs: number;
}

export class Liveness {
  /** The time of the last data. Set for every chunk that is read. */
  lastDataAt: number;
  readonly #settings: LivenessSettings;
  readonly #alarm: Alarm;
  #isUp = false;
  /** When the other end last took no more, so that no PING could reach it. */
  #blockedAt = Number.NEGATIVE_INFINITY;
  /** Milliseconds of silence that end the connection; 0: none do. */
  #silenceMs = 0;

  /** @param alarm rings when `check` must be called */
  constructor(settings: LivenessSettings, alarm: Alarm, now: number) {
    this.#settings = settings;
    this.#alarm = alarm;
    this.lastDataAt = now;
    alarm.set(now + settings.handshakeTimeoutMs);
  }

  /** The handshake is complete. @param answersPing the other end speaks ZMTP 3.1 */
  onUp(answersPing: boolean, now: number): void {
    this.#isUp = true;
    this.#silenceMs = this.#settings.isActive && answersPing ? SILENCE_MS : 0;
    this.#alarm.set(this.#silenceMs > 0 ? now + PING_INTERVAL_MS : undefined);
  }

  /** The other end announced after how long a silence it is gone; 0: never. */
  onTtl(ttlMs: number, now: number): void {
    if (this.#settings.isActive || ttlMs === this.#silenceMs) return;
    this.#silenceMs = ttlMs;
    this.#alarm.set(ttlMs > 0 ? now + ttlMs : undefined);
  }

  /**
   * Call when the alarm has rung.
   * @param isBlocked the other end reads nothing: it does not get a PING either, and the kernel detects a vanished host
   * @param hasSent whether this end wrote anything since the last check
   * @returns why the other end counts as gone, or that it needs a PING
   */
  check(now: number, isBlocked: boolean, hasSent: boolean): Violation | "ping" | undefined {
    if (!this.#isUp) {
      const detail = `no handshake within ${this.#settings.handshakeTimeoutMs} ms`;
      return { code: "HANDSHAKE_TIMEOUT", detail };
    }
    if (isBlocked) this.#blockedAt = now;
    const silentMs = now - Math.max(this.lastDataAt, this.#blockedAt);
    if (silentMs >= this.#silenceMs && !isBlocked) {
      return { code: "SILENCE", detail: `no data for ${Math.round(silentMs)} ms` };
    }
    if (!this.#settings.isActive) {
      this.#alarm.set(now - silentMs + this.#silenceMs);
      return undefined;
    }
    this.#alarm.set(now + PING_INTERVAL_MS);
    return !isBlocked && (!hasSent || silentMs >= PING_INTERVAL_MS) ? "ping" : undefined;
  }

  /** Stops all checks. */
  stop(): void {
    this.#alarm.set(undefined);
  }
}
