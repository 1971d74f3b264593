// A direct-mapped table: the low bits of an id are its slot. `nextId` returns only ids with a free slot, so `get` is one array
// access. Ids increase and are never reused, so the id of a removed entry finds nothing.
//
// A Map with numeric keys costs more here: one that is constantly filled and emptied rebuilds its table every few entries and
// keeps deleted entries alive.

/** Few, because a process may have many clients with one or two requests each, which share the processor's caches. */
const MIN_SLOTS = 8;

export class SlotTable<Entry> {
  #entries: (Entry | undefined)[] = emptySlots(MIN_SLOTS);
  #ids: number[] = new Array<number>(MIN_SLOTS).fill(0);
  #lastId = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** An id for a new entry. Positive, and larger than all before. */
  nextId(): number {
    // At most half full, so that a free slot is near.
    if (this.#size * 2 >= this.#ids.length) this.#grow();
    const mask = this.#ids.length - 1;
    do this.#lastId += 1;
    while (this.#ids[this.#lastId & mask] !== 0);
    return this.#lastId;
  }

  /** Grows until the slot of the id is free, because a table may mirror the ids of another one. */
  set(id: number, entry: Entry): void {
    while (this.#ids[id & (this.#ids.length - 1)] !== 0) this.#grow();
    const slot = id & (this.#ids.length - 1);
    this.#ids[slot] = id;
    this.#entries[slot] = entry;
    this.#size += 1;
  }

  get(id: number): Entry | undefined {
    const slot = id & (this.#ids.length - 1);
    return this.#ids[slot] === id ? this.#entries[slot] : undefined;
  }

  /** @returns the removed entry */
  take(id: number): Entry | undefined {
    const slot = id & (this.#ids.length - 1);
    if (this.#ids[slot] !== id) return undefined;
    const entry = this.#entries[slot];
    this.#ids[slot] = 0;
    this.#entries[slot] = undefined;
    this.#size -= 1;
    return entry;
  }

  /** All entries, by increasing id. */
  values(): readonly Entry[] {
    const values: Entry[] = [];
    for (const id of this.#ids.filter((each) => each !== 0).sort((left, right) => left - right)) {
      const entry = this.get(id);
      if (entry !== undefined) values.push(entry);
    }
    return values;
  }

  /** Ids with different slots keep different slots: a larger mask keeps the bits of the smaller one. */
  #grow(): void {
    const [ids, entries] = [this.#ids, this.#entries];
    this.#ids = new Array<number>(ids.length * 2).fill(0);
    this.#entries = emptySlots(ids.length * 2);
    const mask = this.#ids.length - 1;
    for (const [slot, id] of ids.entries()) {
      if (id === 0) continue;
      this.#ids[id & mask] = id;
      this.#entries[id & mask] = entries[slot];
    }
  }
}

function emptySlots<Entry>(count: number): (Entry | undefined)[] {
  return new Array<Entry | undefined>(count).fill(undefined);
}
