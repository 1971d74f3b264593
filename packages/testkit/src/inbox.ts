// A queue that tests await: arguments of a handler, or messages of a peer.

export class Inbox<Item> {
  /** Items that were not taken, oldest first. */
  readonly items: Item[] = [];
  /** Called with every item as it is added. */
  onAdd: (item: Item) => void = () => {};
  readonly #checks = new Set<() => void>();

  add(item: Item): void {
    this.items.push(item);
    this.onAdd(item);
    for (const check of this.#checks) check();
  }

  /** Removes and returns the oldest item that fits, now or as soon as it is added. */
  take(fits: (item: Item) => boolean = () => true): Promise<Item> {
    return this.#whenFound(() => {
      for (const [index, item] of this.items.entries()) {
        if (!fits(item)) continue;
        this.items.splice(index, 1);
        return item;
      }
      return undefined;
    });
  }

  /** Removes and returns the oldest `count` items, as soon as there are as many. */
  takeMany(count: number): Promise<Item[]> {
    return this.#whenFound(() => (this.items.length < count ? undefined : this.items.splice(0, count)));
  }

  #whenFound<Found>(find: () => Found | undefined): Promise<Found> {
    return new Promise((resolve) => {
      const check = () => {
        const found = find();
        if (found === undefined) return;
        this.#checks.delete(check);
        resolve(found);
      };
      this.#checks.add(check);
      check();
    });
  }
}
