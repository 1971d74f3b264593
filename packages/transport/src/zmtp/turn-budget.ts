// How much of what one peer sends is read before timers and other sockets have their turn. Messages and commands count alike,
// because a command, and a message of a few bytes, cost about as much as any other.
//
// Chunks are read in parts, because one chunk of 64 KiB holds more than 7,000 PINGs. A part has as many bytes as fit the budget
// at the rate of the last part. A peer that sends messages of usual sizes has its chunks read whole, after the first ones.
//
// Some messages cost much more than others, such as the first worker of a wildcard that covers 100,000 waiting names. So a turn
// also ends after a message that makes it last too long. The peer then waits for as long as its turn took: it gets half of the time.

import type { Clock } from "../clock.ts";

const WORK_PER_TURN = 1_024;
const FIRST_PART_BYTES = 16 * 1024;
const SMALLEST_PART_BYTES = 1024;
/** Milliseconds that a turn may take. Much more than messages of usual cost need, because the process may be suspended. */
const MAX_TURN_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** The time is read once for this many messages, and not for a single one: it can cost as much as a fiftieth of a message. */
const MESSAGES_PER_CHECK = 8;
const FIRST_CHECK = 2;

export class TurnBudget {
  /** Messages and commands that were read this turn. */
  work = 0;
  readonly #clock: Pick<Clock, "now"> | undefined;
  #workBefore = 0;
  #partBytes: number = FIRST_PART_BYTES;
  #startedAt = 0;
  #messages = 0;
  #tookMs = 0;

  /** @param clock without one, a turn may take any time */
  constructor(clock?: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** The most bytes to read at once. */
  get partBytes(): number {
    return this.#partBytes;
  }

  /** Milliseconds to wait before the next turn, if the last one took too long. */
  get pauseMs(): number {
    return this.#tookMs > MAX_TURN_MS ? Math.min(this.#tookMs, MAX_PAUSE_MS) : 0;
  }

  /** Call before a part is read. */
  start(now: number): void {
    this.#startedAt = now;
    this.#messages = 0;
    this.#tookMs = 0;
  }

  /** Call after each message. @returns whether the rest of the part must wait */
  isOverdue(): boolean {
    this.#messages += 1;
    if (this.#messages % MESSAGES_PER_CHECK !== FIRST_CHECK || this.#clock === undefined) return false;
    this.#tookMs = this.#clock.now() - this.#startedAt;
    return this.#tookMs > MAX_TURN_MS;
  }

  /** Call when a part of this many bytes has been read. @returns whether the turn is over */
  onRead(bytes: number): boolean {
    const work = this.work - this.#workBefore;
    if (work > 2 * WORK_PER_TURN) {
      this.#partBytes = Math.max(SMALLEST_PART_BYTES, Math.floor((bytes * WORK_PER_TURN) / work));
    } else if (bytes >= this.#partBytes && work < WORK_PER_TURN) {
      this.#partBytes *= 2;
    }
    const isOver = this.work >= WORK_PER_TURN || this.#tookMs > MAX_TURN_MS;
    if (isOver) this.work = 0;
    this.#workBefore = this.work;
    return isOver;
  }
}
