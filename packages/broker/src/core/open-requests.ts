// All open requests in one array, and the requests of each client by the ids that the client gave them.
//
// Why an array and no Map: V8 links every table that a Map outgrows to the next one. Once one of them is old, the scavenger
// keeps everything behind it alive, and every request is copied and kept until a full collection. That doubled the cost of
// a request (apps/bench, core).

import type { RequestId } from "@pigato/protocol";
import { IdIndex, type Indexed } from "@pigato/protocol/internal";

/** Starts every address token of the broker: it distinguishes an echo from a token that a broken worker makes up. */
export const ADDRESS_MARK = "~";

const ZERO = "0".charCodeAt(0);

/** So that each client's salt differs from the others' in about half of its bits. */
const SALT_STEP = 0x9e3779b9;

interface OpenRequest extends Indexed {
  readonly number: number;
  readonly address: string;
  readonly bytes: number;
}

export class OpenRequests<Item extends OpenRequest> {
  readonly #requests: (Item | undefined)[] = [];
  readonly #free: number[] = [];
  /** By client and id. */
  readonly ids: IdIndex<Item> = new IdIndex(this.#requests);
  #lastSalt: number;
  #bytes = 0;

  /** @param random from 0 up to 1. Clients cannot know it, so they cannot choose ids that collide. */
  constructor(random: () => number) {
    this.#lastSalt = Math.floor(random() * 2 ** 32) | 0;
  }

  get size(): number {
    return this.#requests.length - this.#free.length;
  }

  /** Their bytes, as the bounds count them. */
  get bytes(): number {
    return this.#bytes;
  }

  add(request: Item): void {
    this.#bytes += request.bytes;
    request.index = this.#free.pop() ?? this.#requests.length;
    this.#requests[request.index] = request;
  }

  remove(request: Item): void {
    this.#bytes -= request.bytes;
    this.#requests[request.index] = undefined;
    this.#free.push(request.index);
  }

  /** The token by which workers know a request (P-ADDR-2): `~index.number`. An index is used again, a number is not. */
  addressOf(request: Item): string {
    return `${ADDRESS_MARK}${request.index}.${request.number}`;
  }

  /** The request with this token; `undefined` for any other text. */
  byAddress(address: string): Item | undefined {
    const request = this.#requests[indexIn(address)];
    return request?.address === address ? request : undefined;
  }

  /** A salt that no other client has, for its ids in the index. */
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

/** The fields of a request that belong to the list of its client. */
export interface ClientLinks<Self> extends Indexed {
  readonly bytes: number;
  clientPrev: Self | undefined;
  clientNext: Self | undefined;
}

/** The open requests of one client, oldest first. */
export class ClientRequests<Item extends ClientLinks<Item>> {
  /** Distinguishes its ids from those of other clients. */
  readonly salt: number;
  readonly #ids: IdIndex<Item>;
  #first: Item | undefined;
  #last: Item | undefined;
  #size = 0;
  #bytes = 0;

  constructor(ids: IdIndex<Item>, salt: number) {
    this.#ids = ids;
    this.salt = salt;
  }

  get size(): number {
    return this.#size;
  }

  /** What they count as. */
  get bytes(): number {
    return this.#bytes;
  }

  has(id: RequestId): boolean {
    return this.get(id) !== undefined;
  }

  get(id: RequestId): Item | undefined {
    return this.#size === 0 ? undefined : this.#ids.find(id, this.salt);
  }

  /** @param request one that has its index already */
  add(request: Item): void {
    this.#ids.add(request);
    request.clientPrev = this.#last;
    if (this.#last) this.#last.clientNext = request;
    else this.#first = request;
    this.#last = request;
    this.#size += 1;
    this.#bytes += request.bytes;
  }

  remove(request: Item): void {
    this.#ids.remove(request);
    const { clientPrev, clientNext } = request;
    if (clientPrev) clientPrev.clientNext = clientNext;
    else this.#first = clientNext;
    if (clientNext) clientNext.clientPrev = clientPrev;
    else this.#last = clientPrev;
    request.clientPrev = undefined;
    request.clientNext = undefined;
    this.#size -= 1;
    this.#bytes -= request.bytes;
  }

  /** The current request may be removed while iterating, no other. */
  *[Symbol.iterator](): IterableIterator<Item> {
    let request = this.#first;
    while (request !== undefined) {
      const { clientNext } = request;
      yield request;
      request = clientNext;
    }
  }
}
