// Which worker gets a request: one small class per policy. A policy holds exactly the workers of one service that have
// a free slot, and is told of every change. Choosing costs O(1) whatever their number; workers that are excluded because
// they declined the request are stepped over one by one.

import { Node, Yallist } from "yallist";
import type { DispatchMode } from "./core-options.ts";
import type { Worker } from "./records.ts";

export interface Policy {
  readonly size: number;
  /** A worker got its first free slot. */
  add(worker: Worker): void;
  /** A worker has no free slot any more, or is gone. */
  remove(worker: Worker): void;
  /** A worker was given a request and still has a free slot. */
  onDispatched(worker: Worker): void;
  /** A worker that had a free slot already ended a request. */
  onEnded(worker: Worker): void;
  /** The worker to give a request to; `undefined` if there is none but excluded ones. */
  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined;
}

/** Where a policy keeps a worker; each policy uses the part it needs. */
export interface Seat {
  readonly node: Node<Worker>;
  level: Level | undefined;
  index: number;
}

export function newSeat(worker: Worker): Seat {
  return { node: new Node(worker), level: undefined, index: -1 };
}

/** Workers with the same number of requests in flight, the one waiting longest first. */
interface Level {
  readonly load: number;
  readonly members: Yallist<Worker>;
  lower: Level | undefined;
  higher: Level | undefined;
}

export function newPolicy(mode: DispatchMode, random: () => number): Policy {
  switch (mode) {
    case "load":
      return new LeastLoaded();
    case "lru":
      return new LeastRecentlyUsed();
    case "rand":
      return new RandomChoice(random);
    default:
      return mode satisfies never;
  }
}

/** Least in flight; of those, the one that has been so for longest. Levels are chained in order of load. */
class LeastLoaded implements Policy {
  #lowest: Level | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(worker: Worker): void {
    this.#size += 1;
    // From below: it is new, with nothing in flight, or was full until now while others could still take more.
    this.#sit(worker, undefined);
  }

  remove(worker: Worker): void {
    this.#size -= 1;
    this.#rise(worker);
  }

  onDispatched(worker: Worker): void {
    this.#sit(worker, this.#rise(worker));
  }

  onEnded(worker: Worker): void {
    this.#sit(worker, this.#rise(worker));
  }

  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    for (let level = this.#lowest; level !== undefined; level = level.higher) {
      const worker = firstNotIn(level.members, excluded);
      if (worker !== undefined) return worker;
    }
    return undefined;
  }

  /** Seats a worker at the level of its load, looking from a level nearby. Loads change by one: the next is near. */
  #sit(worker: Worker, near: Level | undefined): void {
    const load = worker.inFlight.size;
    let below = near;
    while (below !== undefined && below.load > load) below = below.lower;
    let above = below === undefined ? this.#lowest : below.higher;
    while (above !== undefined && above.load <= load) {
      below = above;
      above = above.higher;
    }
    const level = below !== undefined && below.load === load ? below : this.#insert(load, below, above);
    level.members.pushNode(worker.seat.node);
    worker.seat.level = level;
  }

  /** Takes a worker off its level; returns a level nearby that is still in the chain. */
  #rise(worker: Worker): Level | undefined {
    const { seat } = worker;
    const { level } = seat;
    if (level === undefined) return undefined;
    level.members.removeNode(seat.node);
    seat.level = undefined;
    if (level.members.length > 0) return level;
    if (level.lower) level.lower.higher = level.higher;
    else this.#lowest = level.higher;
    if (level.higher) level.higher.lower = level.lower;
    return level.lower;
  }

  #insert(load: number, lower: Level | undefined, higher: Level | undefined): Level {
    const level: Level = { load, members: new Yallist(), lower, higher };
    if (lower) lower.higher = level;
    else this.#lowest = level;
    if (higher) higher.lower = level;
    return level;
  }
}

/** The one that has waited longest since it was last given a request or got its first free slot. */
class LeastRecentlyUsed implements Policy {
  readonly #members = new Yallist<Worker>();

  get size(): number {
    return this.#members.length;
  }

  add(worker: Worker): void {
    this.#members.pushNode(worker.seat.node);
  }

  remove(worker: Worker): void {
    this.#members.removeNode(worker.seat.node);
  }

  onDispatched(worker: Worker): void {
    this.#members.pushNode(worker.seat.node);
  }

  onEnded(_worker: Worker): void {
    // Ending a request is no use of the worker.
  }

  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    return firstNotIn(this.#members, excluded);
  }
}

/** The less loaded of two picked at random, which keeps loads nearly as even as looking at all of them. */
class RandomChoice implements Policy {
  readonly #members: Worker[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#members.length;
  }

  add(worker: Worker): void {
    worker.seat.index = this.#members.length;
    this.#members.push(worker);
  }

  remove(worker: Worker): void {
    const last = this.#members.pop();
    if (last === undefined || last === worker) return;
    last.seat.index = worker.seat.index;
    this.#members[last.seat.index] = last;
  }

  onDispatched(_worker: Worker): void {
    // Loads are compared when a choice is made.
  }

  onEnded(_worker: Worker): void {
    // As above.
  }

  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    const first = this.#pick(excluded);
    const second = this.#pick(excluded);
    if (first === undefined || second === undefined) return first;
    return second.inFlight.size < first.inFlight.size ? second : first;
  }

  /** One at random; if it is excluded, the next in turn that is not. */
  #pick(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    const size = this.#members.length;
    const start = Math.floor(this.#random() * size);
    for (let step = 0; step < size; step++) {
      const worker = this.#members[(start + step) % size];
      if (worker !== undefined && !excluded?.has(worker)) return worker;
    }
    return undefined;
  }
}

function firstNotIn(members: Yallist<Worker>, excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
  if (excluded === undefined) return members.head?.value;
  for (let node = members.head; node !== undefined; node = node.next) {
    if (!excluded.has(node.value)) return node.value;
  }
  return undefined;
}
