// A doubly linked list of workers, in the order in which they were appended. A policy keeps each worker in at most one list.

/** The fields of a worker that belong to the list it is in. */
export interface PolicyLinks<Self> {
  policyPrev: Self | undefined;
  policyNext: Self | undefined;
}

export class PolicyList<Item extends PolicyLinks<Item>> {
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
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

  /** The first that is not excluded. */
  firstNotIn(excluded: ReadonlySet<Item> | undefined): Item | undefined {
    let worker = this.#first;
    while (worker !== undefined && excluded?.has(worker)) worker = worker.policyNext;
    return worker;
  }
}
