// Which worker gets a request: one small class per policy. A policy holds exactly the workers of one service that have
// a free slot, and is told of every change. Choosing costs O(1) whatever their number; workers that are excluded because
// they declined the request are stepped over one by one.

import type { DispatchMode } from "./core-options.ts";
import type { Worker } from "./records.ts";
import { WorkerList } from "./worker-list.ts";

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

/** Workers with the same number of requests in flight, the one waiting longest first. */
export interface Level {
  load: number;
  readonly members: WorkerList;
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
  /** A level that ran empty, for the next that is wanted: loads go up and down with every request. */
  #spare: Level | undefined;
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
    this.#move(worker);
  }

  onEnded(worker: Worker): void {
    this.#move(worker);
  }

  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    for (let level = this.#lowest; level !== undefined; level = level.higher) {
      const worker = level.members.firstNotIn(excluded);
      if (worker !== undefined) return worker;
    }
    return undefined;
  }

  #move(worker: Worker): void {
    const { level } = worker;
    const load = worker.inFlight.size;
    // Alone on its level, it takes the level along, as long as that keeps its place in the chain.
    if (level?.members.size === 1 && isBetween(load, level.lower, level.higher)) level.load = load;
    else this.#sit(worker, this.#rise(worker));
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
    level.members.append(worker);
    worker.level = level;
  }

  /** Takes a worker off its level; returns a level nearby that is still in the chain. */
  #rise(worker: Worker): Level | undefined {
    const { level } = worker;
    if (level === undefined) return undefined;
    level.members.remove(worker);
    worker.level = undefined;
    if (level.members.size > 0) return level;
    if (level.lower) level.lower.higher = level.higher;
    else this.#lowest = level.higher;
    if (level.higher) level.higher.lower = level.lower;
    const near = level.lower;
    level.lower = undefined;
    level.higher = undefined;
    this.#spare = level;
    return near;
  }

  #insert(load: number, lower: Level | undefined, higher: Level | undefined): Level {
    const level = this.#spare ?? { load, members: new WorkerList(), lower, higher };
    this.#spare = undefined;
    level.load = load;
    level.lower = lower;
    level.higher = higher;
    if (lower) lower.higher = level;
    else this.#lowest = level;
    if (higher) higher.lower = level;
    return level;
  }
}

/** The one that has waited longest since it was last given a request or got its first free slot. */
class LeastRecentlyUsed implements Policy {
  readonly #members = new WorkerList();

  get size(): number {
    return this.#members.size;
  }

  add(worker: Worker): void {
    this.#members.append(worker);
  }

  remove(worker: Worker): void {
    this.#members.remove(worker);
  }

  onDispatched(worker: Worker): void {
    this.#members.remove(worker);
    this.#members.append(worker);
  }

  onEnded(_worker: Worker): void {
    // Ending a request is no use of the worker.
  }

  choose(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    return this.#members.firstNotIn(excluded);
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
    worker.index = this.#members.length;
    this.#members.push(worker);
  }

  remove(worker: Worker): void {
    const last = this.#members.pop();
    if (last === undefined || last === worker) return;
    last.index = worker.index;
    this.#members[last.index] = last;
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

function isBetween(load: number, lower: Level | undefined, higher: Level | undefined): boolean {
  return (lower === undefined || lower.load < load) && (higher === undefined || load < higher.load);
}
