// The routes to one service that have requests waiting, the one whose first request came first on top. A service that is
// asked for by many names serves them in order of arrival, at the cost of the logarithm of the number of such names; with
// the usual one name, at none.

import type { Route } from "./records.ts";

export class RouteHeap {
  readonly #routes: Route[] = [];

  /** The route whose turn it is. */
  get first(): Route | undefined {
    return this.#routes[0];
  }

  get size(): number {
    return this.#routes.length;
  }

  has(route: Route): boolean {
    return this.#routes[route.heapIndex] === route;
  }

  /** The first request that waits on a route is another one now, or there is one, or none any more. */
  settle(route: Route): void {
    if (route.queue.size === 0) return this.remove(route);
    const isAlone = this.#routes.length === 1;
    if (!this.has(route)) {
      // While there was but one, nobody kept track of its turn.
      if (isAlone) setTurn(this.#routes[0]);
      route.heapIndex = this.#routes.length;
      this.#routes.push(route);
    } else if (isAlone) {
      return;
    }
    setTurn(route);
    this.#rise(route);
    this.#sink(route);
  }

  /** Takes a route out, if it is here. */
  remove(route: Route): void {
    if (!this.has(route)) return;
    const last = this.#routes.pop();
    if (last !== undefined && last !== route) {
      this.#put(last, route.heapIndex);
      this.#rise(last);
      this.#sink(last);
    }
    route.heapIndex = -1;
  }

  #rise(route: Route): void {
    for (;;) {
      const above = (route.heapIndex - 1) >> 1;
      const other = this.#routes[above];
      if (other === undefined || other.turn <= route.turn) return;
      this.#put(other, route.heapIndex);
      this.#put(route, above);
    }
  }

  #sink(route: Route): void {
    for (;;) {
      const left = this.#routes[2 * route.heapIndex + 1];
      const right = this.#routes[2 * route.heapIndex + 2];
      const sooner = right !== undefined && left !== undefined && right.turn < left.turn ? right : left;
      if (sooner === undefined || sooner.turn >= route.turn) return;
      const below = sooner.heapIndex;
      this.#put(sooner, route.heapIndex);
      this.#put(route, below);
    }
  }

  #put(route: Route, index: number): void {
    route.heapIndex = index;
    this.#routes[index] = route;
  }
}

function setTurn(route: Route | undefined): void {
  if (route?.queue.first) route.turn = route.queue.first.number;
}
