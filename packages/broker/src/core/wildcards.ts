// Wildcards by what names under them start with, in order. The longest that fits a name is found by halving, and then by
// going up from one wildcard to the next around it: neither many of them nor many different lengths make a name dear.

import type { Service } from "./records.ts";

interface Wildcard {
  readonly prefix: string;
  readonly service: Service;
  /** The longest other one that covers all names under this. */
  around: Wildcard | undefined;
}

export class Wildcards {
  /** In the order of their prefixes: so all that lie within one follow it directly. */
  readonly #all: Wildcard[] = [];

  add(prefix: string, service: Service): void {
    const around = this.#longestFor(prefix);
    const wildcard = { prefix, service, around };
    const index = this.#countUpTo(prefix);
    this.#all.splice(index, 0, wildcard);
    this.#turn(index + 1, prefix, around, wildcard);
  }

  remove(prefix: string): void {
    const index = this.#countUpTo(prefix) - 1;
    const wildcard = this.#all[index];
    if (wildcard?.prefix !== prefix) return;
    this.#all.splice(index, 1);
    this.#turn(index, prefix, wildcard, wildcard.around);
  }

  longestFor(name: string): Service | undefined {
    return this.#longestFor(name)?.service;
  }

  /** Whatever fits the name comes before it, and all that comes between the two lies within what fits. */
  #longestFor(name: string): Wildcard | undefined {
    let wildcard = this.#all[this.#countUpTo(name) - 1];
    while (wildcard !== undefined && !name.startsWith(wildcard.prefix)) wildcard = wildcard.around;
    return wildcard;
  }

  /** From this index on, those within the prefix: what was the next around them is another one now. */
  #turn(from: number, prefix: string, before: Wildcard | undefined, after: Wildcard | undefined): void {
    for (let index = from; ; index++) {
      const wildcard = this.#all[index];
      if (wildcard === undefined || !wildcard.prefix.startsWith(prefix)) return;
      if (wildcard.around === before) wildcard.around = after;
    }
  }

  /** How many prefixes do not come after this text. */
  #countUpTo(text: string): number {
    let from = 0;
    let to = this.#all.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const wildcard = this.#all[middle];
      if (wildcard !== undefined && wildcard.prefix <= text) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}
