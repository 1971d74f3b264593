// Requests that at least one worker has declined and none of the others could take yet, oldest decline first. A worker
// that gets a free slot takes the first that it has not declined itself. Whatever it passes over, it has declined, and
// that never changes: so each worker remembers how far it has looked and never looks at an entry twice. Passing over
// one entry is paid for by the reject that the worker sent for it.

import type { Request, Worker } from "./records.ts";

/** A request's stay in the queue. Later stays of the same request are entries of their own. */
export interface DeclinedEntry {
  /** `undefined` when it has left. */
  request: Request | undefined;
  /** The entry before it; of one that has left, the entry that was before it then. */
  previous: DeclinedEntry | undefined;
  next: DeclinedEntry | undefined;
}

export class DeclinedQueue {
  readonly #entries = new Map<Request, DeclinedEntry>();
  #first: DeclinedEntry | undefined;
  #last: DeclinedEntry | undefined;

  get size(): number {
    return this.#entries.size;
  }

  insert(request: Request): void {
    const entry: DeclinedEntry = { request, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    this.#entries.set(request, entry);
  }

  remove(request: Request): void {
    const entry = this.#entries.get(request);
    if (entry === undefined) return;
    const { previous, next } = entry;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    // Its way back stays, for workers that have looked as far as here; what it held is let go.
    entry.request = undefined;
    entry.next = undefined;
    this.#entries.delete(request);
  }

  /** The first request that this worker has not declined, left in place. */
  firstFor(worker: Worker): Request | undefined {
    let passed = worker.declinedCursor;
    while (passed !== undefined && passed.request === undefined) passed = passed.previous;
    let entry = passed === undefined ? this.#first : passed.next;
    while (entry?.request?.rejectedBy?.has(worker)) {
      passed = entry;
      entry = entry.next;
    }
    worker.declinedCursor = passed;
    return entry?.request;
  }

  /** Oldest decline first. The one at hand may be taken out meanwhile, no other. */
  *[Symbol.iterator](): IterableIterator<Request> {
    let entry = this.#first;
    while (entry?.request !== undefined) {
      const { request, next } = entry;
      yield request;
      entry = next;
    }
  }
}
