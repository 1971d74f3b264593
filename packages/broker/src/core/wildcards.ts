// Wildcards, sorted by prefix. The longest one that covers a name is found by a binary search and then by following links
// from each wildcard to the next shorter one around it. Neither many wildcards nor many lengths make a name expensive.

interface Wildcard<Service> {
  readonly prefix: string;
  readonly service: Service;
  /** The longest other one that covers all names that this one covers. */
  around: Wildcard<Service> | undefined;
}

export class Wildcards<Service> {
  /** Sorted by prefix, so the wildcards within one follow it directly. */
  readonly #all: Wildcard<Service>[] = [];

  add(prefix: string, service: Service): void {
    const around = this.#longestFor(prefix);
    const wildcard = { prefix, service, around };
    const index = this.#countUpTo(prefix);
    this.#all.splice(index, 0, wildcard);
    this.#relink(index + 1, prefix, around, wildcard);
  }

  remove(prefix: string): void {
    const index = this.#countUpTo(prefix) - 1;
    const wildcard = this.#all[index];
    if (wildcard?.prefix !== prefix) return;
    this.#all.splice(index, 1);
    this.#relink(index, prefix, wildcard, wildcard.around);
  }

  longestFor(name: string): Service | undefined {
    return this.#longestFor(name)?.service;
  }

  /** A wildcard that covers the name sorts before it, and everything between the two lies within that wildcard. */
  #longestFor(name: string): Wildcard<Service> | undefined {
    let wildcard = this.#all[this.#countUpTo(name) - 1];
    while (wildcard !== undefined && !name.startsWith(wildcard.prefix)) wildcard = wildcard.around;
    return wildcard;
  }

  /** Relinks the wildcards within the prefix, from this index on, from one surrounding wildcard to another. */
  #relink(
    from: number,
    prefix: string,
    before: Wildcard<Service> | undefined,
    after: Wildcard<Service> | undefined,
  ): void {
    for (let index = from; ; index++) {
      const wildcard = this.#all[index];
      if (wildcard === undefined || !wildcard.prefix.startsWith(prefix)) return;
      if (wildcard.around === before) wildcard.around = after;
    }
  }

  /** How many prefixes do not sort after this text. Binary search. */
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
