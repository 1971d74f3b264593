// Wildcards by what names under them start with. The longest that fits is found by as many look-ups as there are
// wildcards of different length, however many of each.

import type { Service } from "./records.ts";

export class Wildcards {
  readonly #byPrefix = new Map<string, Service>();
  /** How many there are of each length. */
  readonly #counts = new Map<number, number>();
  /** The lengths that occur, longest first. */
  #lengths: readonly number[] = [];

  add(prefix: string, service: Service): void {
    this.#byPrefix.set(prefix, service);
    this.#count(prefix.length, 1);
  }

  remove(prefix: string): void {
    if (this.#byPrefix.delete(prefix)) this.#count(prefix.length, -1);
  }

  longestFor(name: string): Service | undefined {
    for (const length of this.#lengths) {
      if (length > name.length) continue;
      const service = this.#byPrefix.get(name.slice(0, length));
      if (service !== undefined) return service;
    }
    return undefined;
  }

  #count(length: number, change: 1 | -1): void {
    const count = (this.#counts.get(length) ?? 0) + change;
    if (count > 0) this.#counts.set(length, count);
    else this.#counts.delete(length);
    if (count === 0 || (count === 1 && change === 1)) {
      this.#lengths = [...this.#counts.keys()].sort((left, right) => right - left);
    }
  }
}
