// Finds an open request by the id that it was given. On the path of every request, measured by apps/bench, core-scale.
//
// A table of numbers with open addressing rather than a Map: with 100,000 requests open, looking up an id that is not
// there, adding it and deleting it later missed the processor's caches seven times in a Map and do so twice here; and a
// Map gives its garbage collector a table to walk, which this does not.
//
// At a broker, clients choose the ids: each has a salt, which keeps them apart, and of which nobody outside can know which
// ids fall together.

/** What is found. `hash` is the index's business; `index` is its place in the array of rows while it is filed. */
export interface Indexed {
  readonly id: string;
  /** The same for all ids that must differ from each other. */
  readonly salt: number;
  index: number;
  hash: number;
}

/** Numbers of a cell: the hash of a row's id, and its index + 1, where 0 is an empty cell. */
const CELL = 2;
const SMALLEST = 64;

export class IdIndex<Row extends Indexed> {
  readonly #rows: readonly (Row | undefined)[];
  #cells = new Int32Array(SMALLEST * CELL);
  #mask = SMALLEST - 1;
  #size = 0;
  // What was hashed last: an id that is looked for and not found is filed next.
  #id = "";
  #salt = 0;
  #hash = 0;

  /** @param rows each at its index */
  constructor(rows: readonly (Row | undefined)[]) {
    this.#rows = rows;
  }

  find(id: string, salt: number): Row | undefined {
    const hash = this.#hashOf(id, salt);
    for (let cell = hash & this.#mask; ; cell = (cell + 1) & this.#mask) {
      const entry = this.#cells[cell * CELL + 1] ?? 0;
      if (entry === 0) return undefined;
      if (this.#cells[cell * CELL] !== hash) continue;
      const row = this.#rows[entry - 1];
      if (row?.id === id && row.salt === salt) return row;
    }
  }

  /** Files a row that has its index and is not filed yet. */
  add(row: Row): void {
    // At most half full: then a look-up takes one or two steps.
    if (this.#size * 2 > this.#mask) this.#grow();
    row.hash = this.#hashOf(row.id, row.salt);
    this.#put(row.hash, row.index + 1);
    this.#size += 1;
  }

  /** Takes out a row, if it is filed. */
  remove(row: Row): void {
    let hole = row.hash & this.#mask;
    for (let entry = this.#cells[hole * CELL + 1]; entry !== row.index + 1; entry = this.#cells[hole * CELL + 1]) {
      if (entry === 0) return;
      hole = (hole + 1) & this.#mask;
    }
    // What stands behind the hole moves up, as far as its hash allows: so no look-up ends at a hole too early.
    for (let cell = (hole + 1) & this.#mask; ; cell = (cell + 1) & this.#mask) {
      const entry = this.#cells[cell * CELL + 1] ?? 0;
      if (entry === 0) break;
      const hash = this.#cells[cell * CELL] ?? 0;
      const stepsFromHome = (cell - hash) & this.#mask;
      if (stepsFromHome < ((cell - hole) & this.#mask)) continue;
      this.#cells[hole * CELL] = hash;
      this.#cells[hole * CELL + 1] = entry;
      hole = cell;
    }
    this.#cells[hole * CELL + 1] = 0;
    this.#size -= 1;
  }

  #put(hash: number, entry: number): void {
    let cell = hash & this.#mask;
    while (this.#cells[cell * CELL + 1] !== 0) cell = (cell + 1) & this.#mask;
    this.#cells[cell * CELL] = hash;
    this.#cells[cell * CELL + 1] = entry;
  }

  #grow(): void {
    const cells = this.#cells;
    this.#cells = new Int32Array(cells.length * 2);
    this.#mask = this.#mask * 2 + 1;
    for (let at = 0; at < cells.length; at += CELL) {
      const entry = cells[at + 1] ?? 0;
      if (entry !== 0) this.#put(cells[at] ?? 0, entry);
    }
  }

  #hashOf(id: string, salt: number): number {
    if (this.#salt === salt && this.#id === id) return this.#hash;
    let hash = salt;
    for (let at = 0; at < id.length; at++) {
      hash = Math.imul(hash ^ id.charCodeAt(at), 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    this.#id = id;
    this.#salt = salt;
    this.#hash = hash;
    return hash;
  }
}
