// All open requests in one array, and each client's by the ids that it gave them.
//
// Why an array: requests must not pass through a Map as its values. V8 links every table that a Map outgrows to the next
// one; once one of them is old, the quick collection of young objects spares all that hangs behind it, and every request
// is moved about and kept until a full collection. That doubled the cost of a request (apps/bench, core-scale). A Map of
// indexes has next to nothing to keep.

import type { RequestId } from "@pigato/protocol";
import type { Request } from "./records.ts";

/** Starts every address token of ours: it tells an echo of it from what a broken worker makes up. */
export const ADDRESS_MARK = "~";

export class OpenRequests {
  readonly #requests: (Request | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#requests.length - this.#free.length;
  }

  add(request: Request): void {
    request.index = this.#free.pop() ?? this.#requests.length;
    this.#requests[request.index] = request;
  }

  remove(request: Request): void {
    this.#requests[request.index] = undefined;
    this.#free.push(request.index);
  }

  at(index: number): Request | undefined {
    return this.#requests[index];
  }

  /** The token by which workers know a request (P-ADDR-2): `~index.number`. An index is used again, a number is not. */
  addressOf(request: Request): string {
    return `${ADDRESS_MARK}${request.index}.${request.number}`;
  }

  /** The request with this token; `undefined` for any other text. */
  byAddress(address: string): Request | undefined {
    const request = this.#requests[Number.parseInt(address.slice(ADDRESS_MARK.length), 10)];
    return request?.address === address ? request : undefined;
  }
}

/** The open requests of one client, oldest first. */
export class RequestsOfClient {
  readonly #all: OpenRequests;
  readonly #indexes = new Map<RequestId, number>();

  constructor(all: OpenRequests) {
    this.#all = all;
  }

  get size(): number {
    return this.#indexes.size;
  }

  has(id: RequestId): boolean {
    return this.#indexes.has(id);
  }

  get(id: RequestId): Request | undefined {
    const index = this.#indexes.get(id);
    return index === undefined ? undefined : this.#all.at(index);
  }

  /** @param request one that has its index already */
  add(request: Request): void {
    this.#indexes.set(request.id, request.index);
  }

  remove(request: Request): void {
    this.#indexes.delete(request.id);
  }

  *[Symbol.iterator](): IterableIterator<Request> {
    for (const index of this.#indexes.values()) {
      const request = this.#all.at(index);
      if (request !== undefined) yield request;
    }
  }
}
