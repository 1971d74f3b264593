// Workers linked to one another, in the order in which they were appended. A policy keeps each worker in at most one list.

import type { Worker } from "./records.ts";

export class WorkerList {
  #first: Worker | undefined;
  #last: Worker | undefined;
  #size = 0;

  get first(): Worker | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  append(worker: Worker): void {
    const last = this.#last;
    worker.previous = last;
    if (last) last.next = worker;
    else this.#first = worker;
    this.#last = worker;
    this.#size += 1;
  }

  /** Takes out one that is in this list. */
  remove(worker: Worker): void {
    const { previous, next } = worker;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    worker.previous = undefined;
    worker.next = undefined;
    this.#size -= 1;
  }

  /** The first that is not excluded. */
  firstNotIn(excluded: ReadonlySet<Worker> | undefined): Worker | undefined {
    let worker = this.#first;
    while (worker !== undefined && excluded?.has(worker)) worker = worker.next;
    return worker;
  }
}
