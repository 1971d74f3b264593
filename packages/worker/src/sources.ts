// The streams that are piped into one reply. `pipe` does not pass a source's failure on, and a source whose failure
// nobody hears ends the process; with this it ends the request.

import { EventEmitter } from "node:events";

export class Sources {
  readonly #onError: (error: Error) => void;
  readonly #emitters = new Set<EventEmitter>();

  constructor(onError: (error: Error) => void) {
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#emitters.size === 0;
  }

  add(source: unknown): void {
    if (!(source instanceof EventEmitter) || this.#emitters.has(source)) return;
    this.#emitters.add(source);
    source.on("error", this.#onError);
  }

  remove(source: unknown): void {
    if (source instanceof EventEmitter && this.#emitters.delete(source)) source.removeListener("error", this.#onError);
  }
}
