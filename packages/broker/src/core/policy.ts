// Dispatch policies: which worker of a service gets a request. A policy holds the workers that have a free slot, and is notified
// of every change that comes through its service. Choosing costs O(1) whatever their number; workers that are excluded, because
// they rejected the request, are skipped one by one.
//
// A worker with several services is in as many policies. Its load also changes through the other services, which do not notify
// this one: that would cost a step for each service of the worker and each request. Instead, each choice updates a few workers.

import type { DispatchMode } from "./core-options.ts";

/** The fields of a worker, or of one of its services, that belong to the list it is in. */
export interface PolicyLinks<Self> {
  policyPrev: Self | undefined;
  policyNext: Self | undefined;
}

/** A worker at one service, as far as policies are concerned. Each policy uses the fields that it needs. */
export interface PolicyWorker<Self extends PolicyLinks<Self>> extends PolicyLinks<Self> {
  /** The worker itself, by which a request excludes it. */
  readonly worker: unknown;
  /** Whether its load changes without a notice. Does not change while a policy holds it. */
  readonly isShared: boolean;
  readonly inFlight: { readonly size: number };
  policyLevel: LoadLevel<Self> | undefined;
  policyIndex: number;
}

export interface Policy<Worker> {
  readonly size: number;
  /** A worker got its first free slot. */
  add(worker: Worker): void;
  /** A worker was found to have no free slot any more, or is gone. */
  remove(worker: Worker): void;
  /** A worker was given a request and still has a free slot. */
  onDispatched(worker: Worker): void;
  /** A worker that had a free slot already ended a request. */
  onEnded(worker: Worker): void;
  /** The worker to give a request to; `undefined` if all are excluded. */
  choose(excluded: ReadonlySet<unknown> | undefined): Worker | undefined;
}

/** Workers with the same number of requests in flight, the one waiting longest first. */
export interface LoadLevel<Worker extends PolicyLinks<Worker>> {
  load: number;
  readonly members: PolicyList<Worker>;
  lower: LoadLevel<Worker> | undefined;
  higher: LoadLevel<Worker> | undefined;
}

/** The most out-of-date loads that one choice updates at the front. */
const MAX_UPDATES = 4;

export function newPolicy<Worker extends PolicyWorker<Worker>>(
  mode: DispatchMode,
  random: () => number,
): Policy<Worker> {
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
class LeastLoaded<Worker extends PolicyWorker<Worker>> implements Policy<Worker> {
  #lowest: LoadLevel<Worker> | undefined;
  /** An empty level for reuse: loads go up and down with every request. */
  #spare: LoadLevel<Worker> | undefined;
  #size = 0;
  /** How many of the workers share their load with other services. */
  #shared = 0;
  /** The next worker whose load is updated, in order of load; `undefined` is the first one. */
  #hand: Worker | undefined;

  get size(): number {
    return this.#size;
  }

  add(worker: Worker): void {
    this.#size += 1;
    if (worker.isShared) this.#shared += 1;
    // Search from the lowest level: it is new, with nothing in flight, or was full while others could take more.
    this.#insert(worker, undefined);
  }

  remove(worker: Worker): void {
    this.#size -= 1;
    if (worker.isShared) this.#shared -= 1;
    this.#detach(worker);
  }

  onDispatched(worker: Worker): void {
    this.#move(worker);
  }

  onEnded(worker: Worker): void {
    this.#move(worker);
  }

  choose(excluded: ReadonlySet<unknown> | undefined): Worker | undefined {
    if (this.#shared > 0) this.#update();
    for (let level = this.#lowest; level !== undefined; level = level.higher) {
      const worker = firstNotIn(level.members, excluded);
      if (worker !== undefined) return worker;
    }
    return undefined;
  }

  /** Updates one worker in turn, so that no load stays out of date, and the first ones, so that none is chosen by an old load. */
  #update(): void {
    const next = this.#hand ?? this.#lowest?.members.first;
    this.#hand = next && this.#after(next);
    if (next !== undefined && !isUpToDate(next)) this.#move(next);
    for (let update = 0; update < MAX_UPDATES; update++) {
      const first = this.#lowest?.members.first;
      if (first === undefined || isUpToDate(first)) return;
      this.#move(first);
    }
  }

  #after({ policyNext, policyLevel }: Worker): Worker | undefined {
    return policyNext ?? policyLevel?.higher?.members.first;
  }

  #move(worker: Worker): void {
    const { policyLevel: level } = worker;
    const load = worker.inFlight.size;
    // If it is alone on its level, the level moves with it, as long as the chain stays in order.
    if (level?.members.size === 1 && isBetween(load, level.lower, level.higher)) level.load = load;
    else this.#insert(worker, this.#detach(worker));
  }

  /**
   * Adds a worker to the level of its load, searching from a level nearby. Loads change by one between updates, or, if they are
   * shared, by as many as requests went to the worker.
   */
  #insert(worker: Worker, near: LoadLevel<Worker> | undefined): void {
    const load = worker.inFlight.size;
    let below = near;
    while (below !== undefined && below.load > load) below = below.lower;
    let above = below === undefined ? this.#lowest : below.higher;
    while (above !== undefined && above.load <= load) {
      below = above;
      above = above.higher;
    }
    const level = below !== undefined && below.load === load ? below : this.#newLevel(load, below, above);
    level.members.append(worker);
    worker.policyLevel = level;
  }

  /** Removes a worker from its level; returns a level nearby that is still in the chain. */
  #detach(worker: Worker): LoadLevel<Worker> | undefined {
    const { policyLevel: level } = worker;
    if (level === undefined) return undefined;
    if (this.#hand === worker) this.#hand = this.#after(worker);
    level.members.remove(worker);
    worker.policyLevel = undefined;
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

  #newLevel(
    load: number,
    lower: LoadLevel<Worker> | undefined,
    higher: LoadLevel<Worker> | undefined,
  ): LoadLevel<Worker> {
    const level = this.#spare ?? { load, members: new PolicyList<Worker>(), lower, higher };
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
class LeastRecentlyUsed<Worker extends PolicyWorker<Worker>> implements Policy<Worker> {
  readonly #members = new PolicyList<Worker>();

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

  choose(excluded: ReadonlySet<unknown> | undefined): Worker | undefined {
    return firstNotIn(this.#members, excluded);
  }
}

/** The less loaded of two picked at random, which keeps loads nearly as even as looking at all of them. */
class RandomChoice<Worker extends PolicyWorker<Worker>> implements Policy<Worker> {
  readonly #members: Worker[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get size(): number {
    return this.#members.length;
  }

  add(worker: Worker): void {
    worker.policyIndex = this.#members.length;
    this.#members.push(worker);
  }

  remove(worker: Worker): void {
    const last = this.#members.pop();
    if (last === undefined || last === worker) return;
    last.policyIndex = worker.policyIndex;
    this.#members[last.policyIndex] = last;
  }

  onDispatched(_worker: Worker): void {
    // Loads are compared when a choice is made.
  }

  onEnded(_worker: Worker): void {
    // As above.
  }

  choose(excluded: ReadonlySet<unknown> | undefined): Worker | undefined {
    const first = this.#pick(excluded);
    const second = this.#pick(excluded);
    if (first === undefined || second === undefined) return first;
    return second.inFlight.size < first.inFlight.size ? second : first;
  }

  /** One at random; if it is excluded, the next in turn that is not. */
  #pick(excluded: ReadonlySet<unknown> | undefined): Worker | undefined {
    const size = this.#members.length;
    const start = Math.floor(this.#random() * size);
    for (let step = 0; step < size; step++) {
      const worker = this.#members[(start + step) % size];
      if (worker !== undefined && !excluded?.has(worker.worker)) return worker;
    }
    return undefined;
  }
}

function isUpToDate<Worker extends PolicyWorker<Worker>>({ policyLevel, inFlight }: Worker): boolean {
  return policyLevel?.load === inFlight.size;
}

interface HasLoad {
  readonly load: number;
}

function isBetween(load: number, lower: HasLoad | undefined, higher: HasLoad | undefined): boolean {
  return (lower === undefined || lower.load < load) && (higher === undefined || load < higher.load);
}

/** A doubly linked list, in the order in which its items were appended. An item is in at most one. */
export class PolicyList<Item extends PolicyLinks<Item>> {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Item | undefined {
    return this.#first;
  }

  append(worker: Item): void {
    const last = this.#last;
    worker.policyPrev = last;
    if (last) last.policyNext = worker;
    else this.#first = worker;
    this.#last = worker;
    this.#size += 1;
  }

  /** Removes one that is in this list. */
  remove(worker: Item): void {
    const { policyPrev, policyNext } = worker;
    if (policyPrev) policyPrev.policyNext = policyNext;
    else this.#first = policyNext;
    if (policyNext) policyNext.policyPrev = policyPrev;
    else this.#last = policyPrev;
    worker.policyPrev = undefined;
    worker.policyNext = undefined;
    this.#size -= 1;
  }
}

/** The first whose worker is not excluded. */
function firstNotIn<Item extends PolicyWorker<Item>>(
  list: PolicyList<Item>,
  excluded: ReadonlySet<unknown> | undefined,
): Item | undefined {
  let item = list.first;
  while (item !== undefined && excluded?.has(item.worker)) item = item.policyNext;
  return item;
}
