// A CLOCK cache of unused routes, by name. A hit sets a reference bit and moves nothing; when the ring is full, the hand clears
// bits until it finds a victim. So invented names, which are requested once, evict each other before they evict a name that is
// requested again.
//
// Each step of the hand clears a bit that some request has set, so all steps together are fewer than requests.

/** A route, as far as the cache is concerned. */
export interface CachedRoute {
  /** Whether requests are open on it, or a service has its name. */
  readonly isNeeded: boolean;
  isCached: boolean;
  /** The reference bit: it was asked for since the hand last passed it. */
  isReferenced: boolean;
}

export class RouteCache<Route extends CachedRoute> {
  readonly #capacity: number;
  readonly #ring: Route[] = [];
  #hand = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * Adds a route that is not cached.
   * @returns the evicted route, if there is one and it is not needed
   */
  add(route: Route): Route | undefined {
    route.isCached = true;
    const evicted = this.#ring.length < this.#capacity ? undefined : this.#findVictim();
    this.#ring[this.#hand] = route;
    this.#hand = (this.#hand + 1) % this.#capacity;
    if (evicted === undefined) return undefined;
    evicted.isCached = false;
    // A needed route stays in the table because it is needed, and returns here afterwards.
    return evicted.isNeeded ? undefined : evicted;
  }

  /** Moves the hand to the first route that may be evicted. */
  #findVictim(): Route | undefined {
    for (;;) {
      const route = this.#ring[this.#hand];
      if (route === undefined || route.isNeeded || !route.isReferenced) return route;
      route.isReferenced = false;
      this.#hand = (this.#hand + 1) % this.#capacity;
    }
  }
}
