// What handlers were called with, in order, for tests to wait for.

export class Inbox<Item> {
  /** What came and was not taken yet, oldest first. */
  readonly items: Item[] = [];
  /** Called with every item as it comes. */
  onAdd: (item: Item) => void = () => {};
  readonly #checks = new Set<() => void>();

  add(item: Item): void {
    this.items.push(item);
    this.onAdd(item);
    for (const check of this.#checks) check();
  }

  /** Takes out the oldest item that fits, now or when it comes. */
  take(fits: (item: Item) => boolean = () => true): Promise<Item> {
    return this.#untilFound(() => {
      const index = this.items.findIndex(fits);
      return index < 0 ? undefined : this.items.splice(index, 1)[0];
    });
  }

  /** Takes out the oldest `count` items, when there are as many. */
  takeMany(count: number): Promise<Item[]> {
    return this.#untilFound(() => (this.items.length < count ? undefined : this.items.splice(0, count)));
  }

  #untilFound<Found>(find: () => Found | undefined): Promise<Found> {
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
