// Requests that at least one worker has declined and none of the others could take yet, oldest decline first. A worker
// that gets a free slot takes the first that it has not declined itself. Whatever it passes over, it has declined, and
// that never changes: so each worker remembers how far it has looked and never looks at an entry twice. Passing over
// one entry is paid for by the reject that the worker sent for it.

import type { Request, Worker } from "./records.ts";

export class DeclinedQueue {
  readonly #entries = new Map<number, Request>();
  readonly #positions = new Map<Request, number>();
  #next = 0;

  get size(): number {
    return this.#entries.size;
  }

  add(request: Request): void {
    this.#entries.set(this.#next, request);
    this.#positions.set(request, this.#next);
    this.#next += 1;
  }

  remove(request: Request): void {
    const position = this.#positions.get(request);
    if (position === undefined) return;
    this.#positions.delete(request);
    this.#entries.delete(position);
  }

  /** The first request that this worker has not declined, left in place. */
  firstFor(worker: Worker): Request | undefined {
    if (this.#entries.size === 0 || worker.declinedCursor >= this.#next) return undefined;
    // Gaps left by removed entries are walked only while there are fewer of them than entries.
    if (this.#next - worker.declinedCursor > this.#entries.size) return this.#firstOfAll(worker);
    while (worker.declinedCursor < this.#next) {
      const request = this.#entries.get(worker.declinedCursor);
      if (request !== undefined && !request.rejectedBy?.has(worker)) return request;
      worker.declinedCursor += 1;
    }
    return undefined;
  }

  [Symbol.iterator](): IterableIterator<Request> {
    return this.#entries.values();
  }

  #firstOfAll(worker: Worker): Request | undefined {
    for (const [position, request] of this.#entries) {
      if (position < worker.declinedCursor) continue;
      worker.declinedCursor = position;
      if (!request.rejectedBy?.has(worker)) return request;
    }
    worker.declinedCursor = this.#next;
    return undefined;
  }
}
