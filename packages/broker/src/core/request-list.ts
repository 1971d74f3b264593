// Requests linked to one another, so that each is taken out of the middle at no cost: those that wait, in their order of
// arrival, and those that one worker holds. A request is in at most one list.
//
// One that comes back to a queue, because its worker was lost or its connection refused it, goes where its number puts
// it: before all that came after it, behind what came before. Nearly all that come back do so together and in order, so
// each is looked for behind the one before it.

import type { Request } from "./records.ts";

export class RequestList {
  #first: Request | undefined;
  #last: Request | undefined;
  /** The one that came back last, while it is here. */
  #returned: Request | undefined;
  #size = 0;

  get first(): Request | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Puts it at the end. */
  append(request: Request): void {
    this.#link(request, this.#last);
  }

  /** Puts it where its number belongs, in a list that is in order. */
  insert(request: Request): void {
    if (this.#last === undefined || this.#last.number < request.number) return this.append(request);
    this.#link(request, this.#lastBefore(request.number));
    this.#returned = request;
  }

  /** Takes out one that is in this list. */
  remove(request: Request): void {
    const { before, after } = request;
    if (before) before.after = after;
    else this.#first = after;
    if (after) after.before = before;
    else this.#last = before;
    if (this.#returned === request) this.#returned = before;
    request.before = undefined;
    request.after = undefined;
    this.#size -= 1;
  }

  /** The one at hand may be taken out meanwhile, no other. */
  *[Symbol.iterator](): IterableIterator<Request> {
    let request = this.#first;
    while (request !== undefined) {
      const { after } = request;
      yield request;
      request = after;
    }
  }

  /** @param before the one to stand behind; `undefined` is the head */
  #link(request: Request, before: Request | undefined): void {
    const after = before === undefined ? this.#first : before.after;
    request.before = before;
    request.after = after;
    if (before) before.after = request;
    else this.#first = request;
    if (after) after.before = request;
    else this.#last = request;
    this.#size += 1;
  }

  #lastBefore(number: number): Request | undefined {
    const isBehind = this.#returned !== undefined && this.#returned.number < number;
    let before = isBehind ? this.#returned : undefined;
    let after = before === undefined ? this.#first : before.after;
    while (after !== undefined && after.number < number) {
      before = after;
      after = after.after;
    }
    return before;
  }
}
