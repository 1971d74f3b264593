// Requests that at least one worker has rejected and that no other could take yet, oldest reject first. A worker that gets
// a free slot takes the first one that it has not rejected itself. A worker never takes back a reject, so each worker keeps
// a cursor and never looks at an entry twice: one skipped entry costs one reject that the worker sent.

/** One stay of a request in the queue. A later stay of the same request is a separate entry. */
export interface RejectedEntry<Item> {
  /** `undefined` once it has left. */
  request: Item | undefined;
  /** The entry before it; of one that has left, the entry that was before it then. */
  previous: RejectedEntry<Item> | undefined;
  next: RejectedEntry<Item> | undefined;
}

interface Rejectable {
  readonly rejectedBy: { has(worker: unknown): boolean } | undefined;
}

/** One service of a worker, as far as the queue is concerned. */
interface Reader<Item> {
  readonly worker: unknown;
  /** The last entry that it has skipped. */
  rejectedCursor: RejectedEntry<Item> | undefined;
}

export class RejectedQueue<Item extends Rejectable> {
  readonly #entries = new Map<Item, RejectedEntry<Item>>();
  #first: RejectedEntry<Item> | undefined;
  #last: RejectedEntry<Item> | undefined;

  get size(): number {
    return this.#entries.size;
  }

  insert(request: Item): void {
    const entry: RejectedEntry<Item> = { request, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    this.#entries.set(request, entry);
  }

  remove(request: Item): void {
    const entry = this.#entries.get(request);
    if (entry === undefined) return;
    const { previous, next } = entry;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    // The entry keeps its back link for workers whose cursor is here, and releases the rest.
    entry.request = undefined;
    entry.next = undefined;
    this.#entries.delete(request);
  }

  /** The first request that the worker has not rejected. It stays in the queue. */
  firstFor(reader: Reader<Item>): Item | undefined {
    const { worker } = reader;
    let skipped = reader.rejectedCursor;
    while (skipped !== undefined && skipped.request === undefined) skipped = skipped.previous;
    let entry = skipped === undefined ? this.#first : skipped.next;
    while (entry?.request?.rejectedBy?.has(worker)) {
      skipped = entry;
      entry = entry.next;
    }
    reader.rejectedCursor = skipped;
    return entry?.request;
  }

  /** Oldest reject first. The current request may be removed while iterating, no other. */
  *[Symbol.iterator](): IterableIterator<Item> {
    let entry = this.#first;
    while (entry?.request !== undefined) {
      const { request, next } = entry;
      yield request;
      entry = next;
    }
  }
}
