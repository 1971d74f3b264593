// Finds an open request by its id. On the path of every request, measured by apps/bench, core.
//
// A hash table of integers with open addressing and linear probing. With 100,000 open requests, a failed lookup, an insert
// and a later delete cause two cache misses here and seven in a Map; and the garbage collector need not walk the table.
//
// Clients choose the ids, so a broker gives each client a secret salt: ids of different clients stay apart, and no client can
// produce collisions.

/** A row of the index. Only the index sets `hash`; `index` is the position in the array of rows. */
export interface Indexed {
  readonly id: string;
  /** Equal for all ids of one namespace. */
  readonly salt: number;
  index: number;
  hash: number;
}

/** Integers per cell: the hash of the row's id, and the row's index + 1, where 0 marks an empty cell. */
const CELL = 2;
const SMALLEST = 64;

export class IdIndex<Row extends Indexed> {
  readonly #rows: readonly (Row | undefined)[];
  #cells = new Int32Array(SMALLEST * CELL);
  #mask = SMALLEST - 1;
  #size = 0;
  // The last hash: an id that was not found is added next.
  #id = "";
  #salt = 0;
  #hash = 0;

  /** @param rows each at its `index` */
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

  /** Adds a row that has its `index` and is not in the table. */
  add(row: Row): void {
    // At most half full, so that a lookup probes one or two cells.
    if (this.#size * 2 > this.#mask) this.#grow();
    row.hash = this.#hashOf(row.id, row.salt);
    this.#put(row.hash, row.index + 1);
    this.#size += 1;
  }

  /** Removes a row, if it is in the table. */
  remove(row: Row): void {
    let hole = row.hash & this.#mask;
    for (let entry = this.#cells[hole * CELL + 1]; entry !== row.index + 1; entry = this.#cells[hole * CELL + 1]) {
      if (entry === 0) return;
      hole = (hole + 1) & this.#mask;
    }
    // Backward shift deletion: later cells of the run move up, so that no lookup ends at the hole.
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
