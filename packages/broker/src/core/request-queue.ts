// Requests that wait, in their order of arrival. A new one goes to the end. One that comes back, because its worker was
// lost or its connection refused it, goes where its number puts it: before all that came after it, behind what came
// before. Nearly all that come back do so together and in order, so each is looked for behind the one before it.

import type { Request } from "./records.ts";

export class RequestQueue {
  #first: Request | undefined;
  #last: Request | undefined;
  /** The one that came back last, while it is here. */
  #returned: Request | undefined;
  #length = 0;

  get first(): Request | undefined {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  add(request: Request): void {
    const previous = this.#placeFor(request.number);
    const next = previous === undefined ? this.#first : previous.next;
    request.previous = previous;
    request.next = next;
    if (previous) previous.next = request;
    else this.#first = request;
    if (next) {
      next.previous = request;
      this.#returned = request;
    } else {
      this.#last = request;
    }
    this.#length += 1;
  }

  /** Takes out one that is in this queue. */
  remove(request: Request): void {
    const { previous, next } = request;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    if (this.#returned === request) this.#returned = previous;
    request.previous = undefined;
    request.next = undefined;
    this.#length -= 1;
  }

  /** Oldest first. The one at hand may be taken out meanwhile, no other. */
  *[Symbol.iterator](): IterableIterator<Request> {
    let request = this.#first;
    while (request !== undefined) {
      const { next } = request;
      yield request;
      request = next;
    }
  }

  /** The request to stand behind; `undefined` is the head. */
  #placeFor(number: number): Request | undefined {
    if (this.#last === undefined || this.#last.number < number) return this.#last;
    const isBehind = this.#returned !== undefined && this.#returned.number < number;
    let previous = isBehind ? this.#returned : undefined;
    let next = previous === undefined ? this.#first : previous.next;
    while (next !== undefined && next.number < number) {
      previous = next;
      next = next.next;
    }
    return previous;
  }
}
