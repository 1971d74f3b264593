// Whether the other end of a connection is there, judged by what came from it and when. Keeps no time and touches no socket:
// it is told the time, says by an alarm when it has to be asked again, and answers what is to be done then.
//
// The end that connected asks: it sends a PING when either end was quiet, and announces how long its own silence may be.
// The end that listens goes by what was announced to it, and asks nothing: a peer of ZMTP 3.0 would not answer.

import type { Alarm } from "../clock.ts";
import type { Violation } from "./violation.ts";

/** Milliseconds between two looks at whether the other end is there: if either end was quiet meanwhile, we ask. */
const PING_INTERVAL_MS = 2_500;
/** Milliseconds without anything from an end that answers a PING, after which it is gone. */
const SILENCE_MS = 10_000;
/** What we announce that the other end may do: longer, because it can be our event loop that is held up. */
export const TTL_MS = 20_000;

export interface LivenessSettings {
  /** This end asks whether the other is there. */
  readonly isActive: boolean;
  readonly handshakeTimeoutMs: number;
}

export class Liveness {
  /** When anything came last. Set for every chunk that is read. */
  heardAt: number;
  readonly #settings: LivenessSettings;
  readonly #alarm: Alarm;
  #isUp = false;
  /** Milliseconds of silence that end it; 0: none do. */
  #silenceMs = 0;

  /** @param alarm rings when `look` is to be called */
  constructor(settings: LivenessSettings, alarm: Alarm, now: number) {
    this.#settings = settings;
    this.#alarm = alarm;
    this.heardAt = now;
    alarm.set(now + settings.handshakeTimeoutMs);
  }

  /** The handshake is over. @param answersPing the other end speaks ZMTP 3.1 */
  onUp(answersPing: boolean, now: number): void {
    this.#isUp = true;
    this.#silenceMs = this.#settings.isActive && answersPing ? SILENCE_MS : 0;
    this.#alarm.set(this.#silenceMs > 0 ? now + PING_INTERVAL_MS : undefined);
  }

  /** The other end announced after how much silence it is gone; 0: never. */
  onTtl(ttlMs: number, now: number): void {
    if (this.#settings.isActive || ttlMs === this.#silenceMs) return;
    this.#silenceMs = ttlMs;
    this.#alarm.set(ttlMs > 0 ? now + ttlMs : undefined);
  }

  /**
   * To be called when the alarm has rung.
   * @param isBlocked the other end takes nothing: it does not get our PING either, and the kernel knows whether its host
   *   is there
   * @param hasSent whether this end wrote anything since the last look
   * @returns why the other end counts as gone, or that it is to be asked
   */
  look(now: number, isBlocked: boolean, hasSent: boolean): Violation | "ask" | undefined {
    if (!this.#isUp) {
      const detail = `no handshake within ${this.#settings.handshakeTimeoutMs} ms`;
      return { code: "HANDSHAKE_TIMEOUT", detail };
    }
    const silentMs = now - this.heardAt;
    if (silentMs >= this.#silenceMs && !isBlocked) {
      return { code: "SILENCE", detail: `nothing came for ${Math.round(silentMs)} ms` };
    }
    if (!this.#settings.isActive) {
      this.#alarm.set((isBlocked ? now : this.heardAt) + this.#silenceMs);
      return undefined;
    }
    this.#alarm.set(now + PING_INTERVAL_MS);
    return !isBlocked && (!hasSent || silentMs >= PING_INTERVAL_MS) ? "ask" : undefined;
  }

  /** Nothing is to be looked at any more. */
  stop(): void {
    this.#alarm.set(undefined);
  }
}
