// Requests that wait for their answers, by number: for peers whose library does not keep them.

import type { Done } from "./peer.ts";

interface Waiting {
  readonly done: Done;
  readonly onPart: ((part: unknown) => void) | undefined;
  /** Parts that are still to come. */
  parts: number;
}

export class Pending {
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** @returns the number that its answers must bear */
  add(done: Done, onPart?: (part: unknown) => void, parts = 0): number {
    this.#lastId += 1;
    this.#waiting.set(this.#lastId, { done, onPart, parts });
    return this.#lastId;
  }

  /** An answer came: one part of a stream, or the whole. */
  settle(id: number, answer: unknown): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) throw new Error(`nobody waits for ${id}`);
    waiting.onPart?.(answer);
    waiting.parts -= 1;
    if (waiting.parts > 0) return;
    this.#waiting.delete(id);
    waiting.done(undefined, answer);
  }
}
