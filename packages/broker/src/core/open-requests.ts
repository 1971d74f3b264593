// All open requests in one array, and each client's by the ids that it gave them.
//
// Why an array and no Map: V8 links every table that a Map outgrows to the next one; once one of them is old, the quick
// collection of young objects spares all that hangs behind it, and every request is moved about and kept until a full
// collection. That doubled the cost of a request (apps/bench, core-scale).

import { IdIndex, type RequestId } from "@pigato/protocol";
import type { Request } from "./records.ts";

/** Starts every address token of ours: it tells an echo of it from what a broken worker makes up. */
export const ADDRESS_MARK = "~";

const ZERO = "0".charCodeAt(0);

/** So that each client's salt differs from the others' in about half of its bits. */
const SALT_STEP = 0x9e3779b9;

export class OpenRequests {
  readonly #requests: (Request | undefined)[] = [];
  readonly #free: number[] = [];
  /** By client and id. */
  readonly ids: IdIndex<Request> = new IdIndex(this.#requests);
  #lastSalt: number;
  #bytes = 0;

  /** @param random from 0 up to 1; what nobody outside knows of it keeps clients from choosing ids that collide */
  constructor(random: () => number) {
    this.#lastSalt = Math.floor(random() * 2 ** 32) | 0;
  }

  get size(): number {
    return this.#requests.length - this.#free.length;
  }

  /** Of their payloads and trailers together. */
  get bytes(): number {
    return this.#bytes;
  }

  add(request: Request): void {
    this.#bytes += request.bytes;
    request.index = this.#free.pop() ?? this.#requests.length;
    this.#requests[request.index] = request;
  }

  remove(request: Request): void {
    this.#bytes -= request.bytes;
    this.#requests[request.index] = undefined;
    this.#free.push(request.index);
  }

  /** The token by which workers know a request (P-ADDR-2): `~index.number`. An index is used again, a number is not. */
  addressOf(request: Request): string {
    return `${ADDRESS_MARK}${request.index}.${request.number}`;
  }

  /** The request with this token; `undefined` for any other text. */
  byAddress(address: string): Request | undefined {
    const request = this.#requests[indexIn(address)];
    return request?.address === address ? request : undefined;
  }

  /** One that no other client has, for its ids in the index. */
  newSalt(): number {
    this.#lastSalt = (this.#lastSalt + SALT_STEP) | 0;
    return this.#lastSalt;
  }
}

/** The index that an address token starts with; for any other text, some number. */
function indexIn(address: string): number {
  let index = 0;
  for (let at = ADDRESS_MARK.length; at < address.length; at++) {
    const digit = address.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    index = index * 10 + digit;
  }
  return index;
}

/** The open requests of one client, oldest first. */
export class RequestsOfClient {
  /** Tells its ids from those of other clients. */
  readonly salt: number;
  readonly #ids: IdIndex<Request>;
  #first: Request | undefined;
  #last: Request | undefined;
  #size = 0;

  constructor(all: OpenRequests) {
    this.salt = all.newSalt();
    this.#ids = all.ids;
  }

  get size(): number {
    return this.#size;
  }

  has(id: RequestId): boolean {
    return this.get(id) !== undefined;
  }

  get(id: RequestId): Request | undefined {
    return this.#size === 0 ? undefined : this.#ids.find(id, this.salt);
  }

  /** @param request one that has its index already */
  add(request: Request): void {
    this.#ids.add(request);
    request.older = this.#last;
    if (this.#last) this.#last.newer = request;
    else this.#first = request;
    this.#last = request;
    this.#size += 1;
  }

  remove(request: Request): void {
    this.#ids.remove(request);
    const { older, newer } = request;
    if (older) older.newer = newer;
    else this.#first = newer;
    if (newer) newer.older = older;
    else this.#last = older;
    request.older = undefined;
    request.newer = undefined;
    this.#size -= 1;
  }

  /** The one at hand may be removed meanwhile, no other. */
  *[Symbol.iterator](): IterableIterator<Request> {
    let request = this.#first;
    while (request !== undefined) {
      const { newer } = request;
      yield request;
      request = newer;
    }
  }
}
