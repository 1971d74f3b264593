// Limits the lines of one kind in the log to a number in each minute, because a peer can cause one with each of its messages. The first
// line of the next minute has the number of those that were omitted.

import type { Clock } from "@pigato/transport";

const INTERVAL_MS = 60_000;

export class LogLimit {
  readonly #clock: Pick<Clock, "now">;
  /** The present minute of each kind. Kinds are few. */
  readonly #minutes = new Map<string, { readonly startedAt: number; lines: number; omitted: number }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /**
   * @param lines the most of this kind in a minute
   * @returns how many of this kind were omitted before this one; `undefined` if this one is omitted, too
   */
  next(kind: string, lines: number): number | undefined {
    const now = this.#clock.now();
    const minute = this.#minutes.get(kind);
    // A clock that is no number must not lift the limit.
    if (minute === undefined || now >= minute.startedAt + INTERVAL_MS) {
      this.#minutes.set(kind, { startedAt: now, lines: 1, omitted: 0 });
      return minute?.omitted ?? 0;
    }
    if (minute.lines < lines) {
      minute.lines += 1;
      return 0;
    }
    minute.omitted += 1;
    return undefined;
  }
}
