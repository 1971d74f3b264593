// Finds an open request by its client and the id that the client gave it. On the path of every request, measured by
// apps/bench, core-scale.
//
// A table of numbers with open addressing rather than a Map of each client's ids: with 100,000 requests open, looking up
// an id that is not there, adding it and deleting it later missed the processor's caches seven times in a Map and do so
// twice here; and a Map gives its garbage collector a table to walk, which this does not.
//
// Clients choose their ids, so the hash is salted: nobody can know which ids fall together.

import type { RequestId } from "@pigato/protocol";
import type { Request } from "./records.ts";

/** Numbers of a cell: the hash of a request's id, and its index + 1, where 0 is an empty cell. */
const CELL = 2;
const SMALLEST = 64;

export class RequestIndex {
  readonly #requests: readonly (Request | undefined)[];
  #cells = new Int32Array(SMALLEST * CELL);
  #mask = SMALLEST - 1;
  #size = 0;
  // What was hashed last: an id that is looked for and not found is filed next.
  #id = "";
  #salt = 0;
  #hash = 0;

  /** @param requests all open requests, each at its index */
  constructor(requests: readonly (Request | undefined)[]) {
    this.#requests = requests;
  }

  /** @param salt the same for all requests of a client, another for each client */
  find(id: RequestId, salt: number): Request | undefined {
    const hash = this.#hashOf(id, salt);
    for (let cell = hash & this.#mask; ; cell = (cell + 1) & this.#mask) {
      const entry = this.#cells[cell * CELL + 1] ?? 0;
      if (entry === 0) return undefined;
      if (this.#cells[cell * CELL] !== hash) continue;
      const request = this.#requests[entry - 1];
      if (request?.id === id && request.client.requests.salt === salt) return request;
    }
  }

  /** Files a request that has its index and is not filed yet. */
  add(request: Request, salt: number): void {
    // At most half full: then a look-up takes one or two steps.
    if (this.#size * 2 > this.#mask) this.#grow();
    request.hash = this.#hashOf(request.id, salt);
    this.#put(request.hash, request.index + 1);
    this.#size += 1;
  }

  /** Takes out a request, if it is filed. */
  remove(request: Request): void {
    let hole = request.hash & this.#mask;
    for (let entry = this.#cells[hole * CELL + 1]; entry !== request.index + 1; entry = this.#cells[hole * CELL + 1]) {
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
