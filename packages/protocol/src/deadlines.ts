// A timer queue: requests that expire, peers that may fall silent, heartbeats to send. It decides what is due, its owner acts.
//
// Most timers share a few durations (one timeout, one heartbeat interval), and timers of one duration expire in the order
// in which they were set. So there is one FIFO list per duration and a small heap of lists. Setting, moving and clearing
// cost O(1); the heap changes once per lifetime of a list's head. If every timer has its own duration, this degrades to a
// plain heap. Empty lists are removed before they outnumber the others.

import TinyQueue from "tinyqueue";

/** A point in time: milliseconds of a monotonic clock with an arbitrary zero. Instants never cross the wire. */
export type Instant = number;

/** A timer. The owner keeps it and passes it back; only `Deadlines` changes its fields. */
export interface Deadline<Owner> {
  readonly owner: Owner;
  at: Instant;
  list: DeadlineList<Owner> | undefined;
  timerPrev: Deadline<Owner> | undefined;
  timerNext: Deadline<Owner> | undefined;
}

/** All timers of one duration, oldest first. */
interface DeadlineList<Owner> {
  readonly durationMs: number;
  /** At most the instant of the head. A stale value is too early and costs one extra check. */
  dueAt: Instant;
  first: Deadline<Owner> | undefined;
  last: Deadline<Owner> | undefined;
}

/** With fewer lists, empty ones are kept. */
const FEW_LISTS = 64;

export class Deadlines<Owner> {
  readonly #lists = new Map<number, DeadlineList<Owner>>();
  #soonest: TinyQueue<DeadlineList<Owner>> = queueOf([]);
  #emptyLists = 0;
  #size = 0;
  /** What `next` last returned. */
  #next: Instant = Number.POSITIVE_INFINITY;
  #mayBeEarlier = false;

  /** The number of timers that are set. */
  get size(): number {
    return this.#size;
  }

  /** A new timer, not set yet. */
  entry(owner: Owner): Deadline<Owner> {
    return { owner, at: Number.POSITIVE_INFINITY, list: undefined, timerPrev: undefined, timerNext: undefined };
  }

  /** Sets or resets the timer to expire in `durationMs`. `Infinity` is never. */
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
    if (entry.at < this.#next) this.#mayBeEarlier = true;
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

  /** Removes the earliest timer that is due; `undefined` if none is. */
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

  /** When to call `takeDue` next; may be early, never late. `undefined` if no timer is set. */
  next(): Instant | undefined {
    const next = this.#size === 0 ? undefined : this.#soonest.peek()?.dueAt;
    this.#next = next ?? Number.POSITIVE_INFINITY;
    this.#mayBeEarlier = false;
    return next;
  }

  /** Whether `next` may return an earlier instant than it did last. */
  get mayBeEarlier(): boolean {
    return this.#mayBeEarlier;
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

/**
 * The time until a deadline as it is written for the next peer: whole milliseconds, at least 1, never more than are left.
 * @param leftMs with a tolerance of 1 µs, because instants are sums of floating point numbers
 */
export function leftToWire(leftMs: number): number {
  return Math.max(1, Math.floor(leftMs + 0.001));
}
