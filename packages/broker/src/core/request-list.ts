// A doubly linked list of requests, whose links are fields of the requests, so that one is removed from the middle in O(1).
// It holds the requests that wait, in order of arrival, and those that one worker holds. A request is in at most one list.
//
// A request that returns to a queue, because its worker was lost or the send failed, is inserted by its number. Most requests
// that return do so together and in order, so the search starts behind the one that returned last.

/** The fields of a request that belong to the list it is in. */
export interface QueueLinks<Self> {
  /** Its place in the order of arrival. */
  number: number;
  queuePrev: Self | undefined;
  queueNext: Self | undefined;
}

export class RequestList<Item extends QueueLinks<Item>> {
  #first: Item | undefined;
  #last: Item | undefined;
  /** The one that returned last, while it is here. */
  #returned: Item | undefined;
  #size = 0;

  get first(): Item | undefined {
    return this.#first;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds it at the end. */
  append(item: Item): void {
    this.#link(item, this.#last);
  }

  /** Adds it where its number belongs, in a list that is in order. */
  insert(item: Item): void {
    if (this.#last === undefined || this.#last.number < item.number) return this.append(item);
    this.#link(item, this.#lastBefore(item.number));
    this.#returned = item;
  }

  /** Removes one that is in this list. */
  remove(item: Item): void {
    const { queuePrev, queueNext } = item;
    if (queuePrev) queuePrev.queueNext = queueNext;
    else this.#first = queueNext;
    if (queueNext) queueNext.queuePrev = queuePrev;
    else this.#last = queuePrev;
    if (this.#returned === item) this.#returned = queuePrev;
    item.queuePrev = undefined;
    item.queueNext = undefined;
    this.#size -= 1;
  }

  /** The current item may be removed while iterating, no other. */
  *[Symbol.iterator](): IterableIterator<Item> {
    let item = this.#first;
    while (item !== undefined) {
      const { queueNext } = item;
      yield item;
      item = queueNext;
    }
  }

  /** @param prev the one to follow; `undefined` is the head */
  #link(item: Item, prev: Item | undefined): void {
    const next = prev === undefined ? this.#first : prev.queueNext;
    item.queuePrev = prev;
    item.queueNext = next;
    if (prev) prev.queueNext = item;
    else this.#first = item;
    if (next) next.queuePrev = item;
    else this.#last = item;
    this.#size += 1;
  }

  #lastBefore(number: number): Item | undefined {
    const isBehind = this.#returned !== undefined && this.#returned.number < number;
    let prev = isBehind ? this.#returned : undefined;
    let next = prev === undefined ? this.#first : prev.queueNext;
    while (next !== undefined && next.number < number) {
      prev = next;
      next = next.queueNext;
    }
    return prev;
  }
}
