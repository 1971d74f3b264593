// Decides whether a peer reads what is sent to it. Pure: callers pass the time and the bytes.
//
// It is the reverse of an unfinished message (unfinished.ts): while the kernel takes no more, the peer must take all that waits within a
// period, or a minimum of it. The kernel reports progress in steps of up to a third of its buffer, so a period should be long.

import type { Alarm } from "../clock.ts";
import type { LinkLimits } from "../link.ts";
import type { Violation } from "./wire.ts";

type SendLimits = Pick<LinkLimits, "sendStallTimeoutMs" | "minProgressBytes">;

interface Sending {
  /** The kernel takes no more. */
  readonly isBlocked: boolean;
  /** Bytes that the kernel has taken since the start of the connection; `undefined` if that is unknown. */
  readonly takenBytes: number | undefined;
  readonly waitingBytes: number;
}

export class SendProgress {
  readonly #limits: SendLimits;
  readonly #newAlarm: () => Alarm;
  /** Created with the first period: most peers never have one. */
  #alarm: Alarm | undefined;
  /** What the kernel had taken when the present period began; `undefined` between periods. */
  #startBytes: number | undefined;
  /** Whether the peer took all that waited in the present period. */
  #hasCaughtUp = false;

  /** @param newAlarm rings when `check` must be called */
  constructor(limits: SendLimits, newAlarm: () => Alarm) {
    this.#limits = limits;
    this.#newAlarm = newAlarm;
  }

  /** Whether there is a period. */
  get isMeasuring(): boolean {
    return this.#startBytes !== undefined;
  }

  /** Call when the kernel takes no more, unless there is a period. */
  begin(takenBytes: number | undefined, now: number): void {
    this.#startBytes = takenBytes ?? 0;
    this.#hasCaughtUp = false;
    this.#alarm ??= this.#newAlarm();
    this.#alarm.set(now + this.#limits.sendStallTimeoutMs);
  }

  /** Nothing waits. The alarm stays: the next period would set it again. */
  onCaughtUp(): void {
    this.#hasCaughtUp = true;
  }

  /** Call when the alarm has rung. @returns why the connection must end */
  check({ isBlocked, takenBytes, waitingBytes }: Sending, now: number): Violation | undefined {
    const start = this.#startBytes;
    this.#startBytes = undefined;
    if (start === undefined || !isBlocked) return undefined;
    const { sendStallTimeoutMs, minProgressBytes } = this.#limits;
    const taken = takenBytes === undefined ? minProgressBytes : takenBytes - start;
    if (this.#hasCaughtUp || taken >= minProgressBytes) {
      this.begin(takenBytes, now);
      return undefined;
    }
    const rule = `the minimum is ${minProgressBytes}`;
    const detail = `it took ${taken} bytes in ${sendStallTimeoutMs} ms while ${waitingBytes} waited for it; ${rule}`;
    return { code: "NOT_READING", detail };
  }

  /** The connection ends. */
  stop(): void {
    this.#alarm?.set(undefined);
    this.#startBytes = undefined;
  }
}
