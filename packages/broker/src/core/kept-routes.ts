// Routes that nobody needs at this moment, kept for the next request by their name, and which of them has to go for
// another. To be asked for costs a route a mark and no move. They stand in a ring; when it is full, a hand goes round it to
// where the next one may stand: past those that were asked for again since it last came by, whose mark it takes. So names
// that are made up, and asked for once, make room for each other before they push out a name that is asked for again.
//
// Each step of the hand takes a mark that some request has left, so all steps together are fewer than requests.

import type { Route } from "./records.ts";

export class KeptRoutes {
  readonly #most: number;
  readonly #ring: Route[] = [];
  #hand = 0;

  /** @param most how many there may be */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Keeps a route that is not among them.
   * @returns the route that had to go for it and that nobody needs, if there is one
   */
  add(route: Route): Route | undefined {
    route.isKept = true;
    const other = this.#ring.length < this.#most ? undefined : this.#stop();
    this.#ring[this.#hand] = route;
    this.#hand = (this.#hand + 1) % this.#most;
    if (other === undefined) return undefined;
    other.isKept = false;
    // One that is in use by now is kept by that, and comes back here after it.
    return other.isNeeded ? undefined : other;
  }

  /** Goes on to the first that may go. */
  #stop(): Route | undefined {
    for (;;) {
      const route = this.#ring[this.#hand];
      if (route === undefined || route.isNeeded || !route.isAskedAgain) return route;
      route.isAskedAgain = false;
      this.#hand = (this.#hand + 1) % this.#most;
    }
  }
}
