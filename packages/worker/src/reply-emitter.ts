// Two parts of a reply: the emitter that it is, and the streams that are piped into it.

import { EventEmitter } from "node:events";

class Lazy {}
Object.setPrototypeOf(Lazy.prototype, EventEmitter.prototype);

/**
 * An EventEmitter without a table of listeners until the first `on`. There is one for every request, and most have no
 * listener: the table of Node's constructor is a tenth of what a request costs the worker. Node's methods work without the
 * constructor, because classes from before `class` inherit them without calling it.
 */
export const LazyEmitter: new () => EventEmitter = Object.setPrototypeOf(Lazy, EventEmitter);

/**
 * The streams that are piped into one reply. `pipe` does not forward the error of a source, and without a listener it would
 * end the process; with this it ends the request.
 */
export class PipedSources {
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
