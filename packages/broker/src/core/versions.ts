// The versions of one service, in order. A binary search finds the highest version within a range, so the many versions of
// an attacker cost a new range next to nothing. A resolved range is cached (service-table.ts).

import type { Comparator, Range, SemVer } from "semver";

interface Offered<Service> {
  readonly version: SemVer;
  readonly service: Service;
}

export class Versions<Service> {
  /** Lowest first. */
  readonly #all: Offered<Service>[] = [];

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  add(version: SemVer, service: Service): void {
    this.#all.splice(
      this.#countWhile((offered) => offered.compare(version) < 0),
      0,
      { version, service },
    );
  }

  remove(version: SemVer): void {
    const index = this.#countWhile((offered) => offered.compare(version) < 0);
    if (this.#all[index]?.version.compare(version) === 0) this.#all.splice(index, 1);
  }

  highestIn(range: Range): Service | undefined {
    let best = -1;
    for (const bounds of range.set) {
      // A version must satisfy all bounds. If the highest version below the upper bounds does not, no other does.
      const index = this.#countWhile((version) => bounds.every((bound) => !isAbove(version, bound))) - 1;
      const candidate = this.#all[index];
      if (candidate !== undefined && bounds.every((bound) => bound.test(candidate.version)))
        best = Math.max(best, index);
    }
    return this.#all[best]?.service;
  }

  /** How many versions satisfy a predicate that holds up to some version and for none after it. Binary search. */
  #countWhile(holds: (version: SemVer) => boolean): number {
    let from = 0;
    let to = this.#all.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const offered = this.#all[middle];
      if (offered !== undefined && holds(offered.version)) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

function isAbove(version: SemVer, bound: Comparator): boolean {
  switch (bound.operator) {
    case ">":
    case ">=":
      return false;
    case "<":
    case "<=":
      return !bound.test(version);
    default:
      // Equality, or no bound at all, which every version satisfies.
      return !bound.test(version) && version.compare(bound.semver) > 0;
  }
}
