// A binary heap of the routes to one service that have requests waiting, ordered by the number of their first request. A
// service that is reached by many names serves them in order of arrival, in O(log n) of the number of such names; with the
// usual single name the heap costs nothing.

import type { QueueLinks, RequestList } from "./request-list.ts";

/** A route, as far as the heap is concerned. */
export interface HeapRoute<Item extends QueueLinks<Item>> {
  readonly queue: RequestList<Item>;
  /** Its index in the heap; -1 outside. */
  heapIndex: number;
  /** The number of its first request. */
  heapKey: number;
}

export class RouteHeap<Item extends QueueLinks<Item>> {
  readonly #routes: HeapRoute<Item>[] = [];

  /** The route whose first request came first. */
  get first(): HeapRoute<Item> | undefined {
    return this.#routes[0];
  }

  get size(): number {
    return this.#routes.length;
  }

  has(route: HeapRoute<Item>): boolean {
    return this.#routes[route.heapIndex] === route;
  }

  /** The first request of a route changed: adds, moves or removes the route. */
  update(route: HeapRoute<Item>): void {
    if (route.queue.size === 0) return this.remove(route);
    const isAlone = this.#routes.length === 1;
    if (!this.has(route)) {
      // While there was but one route, its key was not kept up to date.
      if (isAlone) setKey(this.#routes[0]);
      route.heapIndex = this.#routes.length;
      this.#routes.push(route);
    } else if (isAlone) {
      return;
    }
    setKey(route);
    this.#siftUp(route);
    this.#siftDown(route);
  }

  /** Removes a route, if it is here. */
  remove(route: HeapRoute<Item>): void {
    if (!this.has(route)) return;
    const last = this.#routes.pop();
    if (last !== undefined && last !== route) {
      this.#put(last, route.heapIndex);
      this.#siftUp(last);
      this.#siftDown(last);
    }
    route.heapIndex = -1;
  }

  #siftUp(route: HeapRoute<Item>): void {
    for (;;) {
      const above = (route.heapIndex - 1) >> 1;
      const parent = this.#routes[above];
      if (parent === undefined || parent.heapKey <= route.heapKey) return;
      this.#put(parent, route.heapIndex);
      this.#put(route, above);
    }
  }

  #siftDown(route: HeapRoute<Item>): void {
    for (;;) {
      const left = this.#routes[2 * route.heapIndex + 1];
      const right = this.#routes[2 * route.heapIndex + 2];
      const child = right !== undefined && left !== undefined && right.heapKey < left.heapKey ? right : left;
      if (child === undefined || child.heapKey >= route.heapKey) return;
      const below = child.heapIndex;
      this.#put(child, route.heapIndex);
      this.#put(route, below);
    }
  }

  #put(route: HeapRoute<Item>, index: number): void {
    route.heapIndex = index;
    this.#routes[index] = route;
  }
}

function setKey<Item extends QueueLinks<Item>>(route: HeapRoute<Item> | undefined): void {
  if (route?.queue.first) route.heapKey = route.queue.first.number;
}
