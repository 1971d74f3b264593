// Limits how often the log has lines of one kind: the first at once, then one a minute, with the number of those that were omitted.

import type { Clock } from "@pigato/transport";

const INTERVAL_MS = 60_000;

export class LogLimit {
  readonly #clock: Pick<Clock, "now">;
  /** The time of the last line of a kind, and how many were omitted since. Kinds are few. */
  readonly #last = new Map<string, { at: number; omitted: number }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** @returns how many lines of this kind were omitted before this one; `undefined` if this one must be, too */
  next(kind: string): number | undefined {
    const now = this.#clock.now();
    const last = this.#last.get(kind);
    if (last !== undefined && now < last.at + INTERVAL_MS) {
      last.omitted += 1;
      return undefined;
    }
    this.#last.set(kind, { at: now, omitted: 0 });
    return last?.omitted ?? 0;
  }
}
