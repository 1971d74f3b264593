// Requests that wait for their replies, by number: for peers whose library does not match replies to requests.

import type { Done } from "./peer.ts";

interface PendingRequest {
  readonly done: Done;
  readonly onPartial: ((partial: unknown) => void) | undefined;
  partialsLeft: number;
}

export class PendingRequests {
  readonly #requests = new Map<number, PendingRequest>();
  #lastId = 0;

  /** @returns the number that its replies must carry */
  add(done: Done, onPartial?: (partial: unknown) => void, partials = 0): number {
    this.#lastId += 1;
    this.#requests.set(this.#lastId, { done, onPartial, partialsLeft: partials });
    return this.#lastId;
  }

  /** @param reply one partial of a stream, or the only reply */
  settle(id: number, reply: unknown): void {
    const request = this.#requests.get(id);
    if (request === undefined) throw new Error(`reply to unknown request ${id}`);
    request.onPartial?.(reply);
    request.partialsLeft -= 1;
    if (request.partialsLeft > 0) return;
    this.#requests.delete(id);
    request.done(undefined, reply);
  }
}
