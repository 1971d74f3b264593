// The limits of messages that have begun to arrive and are not whole. Pure: callers pass the time and the bytes.
//
// A `ReceiveBudget` counts the bytes of all such messages of one link. At the bound it drops the one that took the most memory for the
// longest time, so that an attacker does not cost honest peers their messages. An `UnfinishedMessage` belongs to one connection. It must
// grow by a minimum in every period, or end.

import type { Alarm } from "../clock.ts";
import type { LinkLimits } from "../link.ts";
import type { Violation } from "./wire.ts";

type ReceiveLimits = Pick<LinkLimits, "maxReceivingBytes" | "stallTimeoutMs" | "minProgressBytes">;

/** Milliseconds that are added to the age of a message, so that among new ones the size decides. */
const BASE_AGE_MS = 5_000;

export interface MessageSize {
  /** What has arrived. */
  readonly bytes: number;
  /** The memory that it takes. */
  readonly keptBytes: number;
}

export class ReceiveBudget {
  readonly limits: ReceiveLimits;
  readonly #messages = new Set<UnfinishedMessage>();
  #bytes = 0;

  constructor(limits: ReceiveLimits) {
    this.limits = limits;
  }

  /** The memory of all unfinished messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The messages that count, for the checks of tests. */
  audit(): Iterable<UnfinishedMessage> {
    return this.#messages;
  }

  add(message: UnfinishedMessage): void {
    this.#messages.add(message);
  }

  remove(message: UnfinishedMessage): void {
    this.#messages.delete(message);
  }

  /** Counts a change of one message, and drops the costliest ones while the bound is exceeded. */
  count(delta: number, now: number): void {
    this.#bytes += delta;
    const { maxReceivingBytes } = this.limits;
    while (delta > 0 && this.#bytes > maxReceivingBytes) {
      const costliest = this.#costliest(now);
      if (costliest === undefined) return;
      const { keptBytes, beganAt } = costliest;
      const detail =
        `unfinished messages of all peers exceed ${maxReceivingBytes} bytes; ` +
        `this peer's took ${keptBytes} bytes for ${Math.round(now - beganAt)} ms, the most by size and time`;
      costliest.drop({ code: "TOO_MUCH_UNFINISHED", detail });
    }
  }

  /** Walks all connections: only at the bound. */
  #costliest(now: number): UnfinishedMessage | undefined {
    let costliest: UnfinishedMessage | undefined;
    let highest = 0;
    for (const message of this.#messages) {
      const cost = message.keptBytes * (now - message.beganAt + BASE_AGE_MS);
      if (cost <= highest) continue;
      costliest = message;
      highest = cost;
    }
    return costliest;
  }
}

export class UnfinishedMessage {
  readonly budget: ReceiveBudget;
  /** This end does not read, so the message cannot grow. */
  isExcused = false;
  readonly #newAlarm: () => Alarm;
  readonly #onDrop: (violation: Violation) => void;
  #bytes = 0;
  #keptBytes = 0;
  #beganAt = 0;
  /** Created for the first period, because most messages arrive whole. */
  #alarm: Alarm | undefined;
  /** The size when the present period began; `undefined` between periods. */
  #startBytes: number | undefined;
  /** Whether a message ended in the present period. */
  #hasEnded = false;
  #isStopped = false;

  /**
   * @param newAlarm rings when `check` must be called
   * @param onDrop the connection must end
   */
  constructor(budget: ReceiveBudget, newAlarm: () => Alarm, onDrop: (violation: Violation) => void) {
    this.budget = budget;
    this.#newAlarm = newAlarm;
    this.#onDrop = onDrop;
    budget.add(this);
  }

  /** What has arrived of it; 0 between messages. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The memory that it takes. Less than has arrived, if a message that is too large is skipped. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** When the first of it arrived. */
  get beganAt(): number {
    return this.#beganAt;
  }

  /** Call after each read while there is one. @param hasEnded whether a message ended in this read */
  update({ bytes, keptBytes }: MessageSize, hasEnded: boolean, now: number): void {
    if (this.#isStopped) return;
    const isNew = hasEnded || bytes < this.#bytes;
    if (isNew) this.#hasEnded = true;
    if (isNew || this.#bytes === 0) this.#beganAt = now;
    this.#bytes = bytes;
    if (bytes > 0 && this.#startBytes === undefined) this.#begin(now);
    const delta = keptBytes - this.#keptBytes;
    this.#keptBytes = keptBytes;
    this.budget.count(delta, now);
  }

  /** Call when the alarm has rung. */
  check(now: number): void {
    const start = this.#startBytes;
    this.#startBytes = undefined;
    if (start === undefined || this.#bytes === 0) return;
    const { stallTimeoutMs, minProgressBytes } = this.budget.limits;
    const grown = this.#bytes - start;
    if (this.isExcused || this.#hasEnded || grown >= minProgressBytes) return this.#begin(now);
    const detail = `an unfinished message grew by ${grown} bytes in ${stallTimeoutMs} ms; the minimum is ${minProgressBytes}`;
    this.drop({ code: "STALLED", detail });
  }

  drop(violation: Violation): void {
    this.stop();
    this.#onDrop(violation);
  }

  /** The connection ends: nothing counts from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#alarm?.set(undefined);
    this.#startBytes = undefined;
    this.budget.remove(this);
    this.budget.count(-this.#keptBytes, 0);
    this.#bytes = 0;
    this.#keptBytes = 0;
  }

  #begin(now: number): void {
    this.#startBytes = this.#bytes;
    this.#hasEnded = false;
    this.#alarm ??= this.#newAlarm();
    this.#alarm.set(now + this.budget.limits.stallTimeoutMs);
  }
}
