// Things that are due later: requests that expire, peers that may fall silent, heartbeats to send. Decides only what is
// due; what to do about it is the owner's.
//
// Most things share a few durations (one timeout, one heartbeat interval), and of the same duration the one set first is
// due first. So there is one list per duration, oldest first, and a small heap over the lists. Setting, moving and
// clearing cost O(1); the heap is touched once per list and its head's lifetime. With a different duration for every
// entry it degrades to a plain heap. Lists that ran empty are swept before they outnumber the others.

import TinyQueue from "tinyqueue";
import type { Instant } from "./time.ts";

/** One thing that may become due. Owners keep it and hand it back; its fields are the business of `Deadlines`. */
export interface Deadline<Owner> {
  readonly owner: Owner;
  at: Instant;
  list: DeadlineList<Owner> | undefined;
  timerPrev: Deadline<Owner> | undefined;
  timerNext: Deadline<Owner> | undefined;
}

/** All entries of one duration, oldest first. */
interface DeadlineList<Owner> {
  readonly durationMs: number;
  /** Never later than the head's instant: heads only move back, so a stale value costs one early look. */
  dueAt: Instant;
  first: Deadline<Owner> | undefined;
  last: Deadline<Owner> | undefined;
}

/** Below this many lists nothing is swept. */
const FEW_LISTS = 64;

export class Deadlines<Owner> {
  readonly #lists = new Map<number, DeadlineList<Owner>>();
  #soonest: TinyQueue<DeadlineList<Owner>> = queueOf([]);
  #emptyLists = 0;
  #size = 0;

  /** A new entry, not set to any time yet. */
  entry(owner: Owner): Deadline<Owner> {
    return { owner, at: Number.POSITIVE_INFINITY, list: undefined, timerPrev: undefined, timerNext: undefined };
  }

  /** Makes the entry due `durationMs` from now, whatever it was before. `Infinity` is never. */
  set(entry: Deadline<Owner>, durationMs: number, now: Instant): void {
    this.clear(entry);
    if (durationMs === Number.POSITIVE_INFINITY) return;
    const list = this.#list(durationMs, now);
    entry.at = now + durationMs;
    entry.list = list;
    entry.timerPrev = list.last;
    if (list.last) {
      list.last.timerNext = entry;
    } else {
      list.first = entry;
      this.#emptyLists -= 1;
    }
    list.last = entry;
    this.#size += 1;
  }

  clear(entry: Deadline<Owner>): void {
    const { list, timerPrev, timerNext } = entry;
    if (list === undefined) return;
    this.#size -= 1;
    if (timerPrev) timerPrev.timerNext = timerNext;
    else list.first = timerNext;
    if (timerNext) timerNext.timerPrev = timerPrev;
    else list.last = timerPrev;
    if (list.first === undefined) this.#emptyLists += 1;
    entry.list = undefined;
    entry.timerPrev = undefined;
    entry.timerNext = undefined;
    entry.at = Number.POSITIVE_INFINITY;
  }

  /** Takes out one entry that is due, the earliest first; `undefined` when nothing is. */
  takeDue(now: Instant): Owner | undefined {
    for (let list = this.#soonest.peek(); list !== undefined && list.dueAt <= now; list = this.#soonest.peek()) {
      const head = list.first;
      if (head !== undefined && head.at === list.dueAt) {
        this.clear(head);
        return head.owner;
      }
      this.#soonest.pop();
      if (head === undefined) {
        this.#lists.delete(list.durationMs);
        this.#emptyLists -= 1;
      } else {
        list.dueAt = head.at;
        this.#soonest.push(list);
      }
    }
    return undefined;
  }

  /** When to call `takeDue` next; may be early, never late. `undefined`: nothing is set. */
  next(): Instant | undefined {
    return this.#size === 0 ? undefined : this.#soonest.peek()?.dueAt;
  }

  #list(durationMs: number, now: Instant): DeadlineList<Owner> {
    const known = this.#lists.get(durationMs);
    if (known) return known;
    if (this.#lists.size >= FEW_LISTS && this.#emptyLists * 2 > this.#lists.size) this.#sweep();
    const list = { durationMs, dueAt: now + durationMs, first: undefined, last: undefined };
    this.#lists.set(durationMs, list);
    this.#soonest.push(list);
    this.#emptyLists += 1;
    return list;
  }

  #sweep(): void {
    for (const [durationMs, list] of this.#lists) {
      if (list.first === undefined) this.#lists.delete(durationMs);
    }
    this.#emptyLists = 0;
    this.#soonest = queueOf([...this.#lists.values()]);
  }
}

function queueOf<Owner>(lists: DeadlineList<Owner>[]): TinyQueue<DeadlineList<Owner>> {
  return new TinyQueue(lists, (left, right) => left.dueAt - right.dueAt);
}
