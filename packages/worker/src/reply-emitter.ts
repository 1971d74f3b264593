// Two parts of a reply: its event emitter, and the streams that are piped into it.

import { EventEmitter } from "node:events";

class Lazy {}
Object.setPrototypeOf(Lazy.prototype, EventEmitter.prototype);

/**
 * An EventEmitter that creates its listener table at the first `on`. Each request has one, most have no listener, and the table
 * that Node's constructor creates costs a tenth of the worker's CPU time per request. Node's methods work without the
 * constructor, because classes made with `util.inherits` do not call it.
 */
export const LazyEmitter: new () => EventEmitter = Object.setPrototypeOf(Lazy, EventEmitter);

/**
 * The streams that are piped into one reply. `pipe` does not forward an error of a source, which without a listener would end
 * the process. This listener ends the request instead.
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
    if (!isEmitter(source) || this.#emitters.has(source)) return;
    this.#emitters.add(source);
    source.on("error", this.#onError);
  }

  remove(source: unknown): void {
    if (isEmitter(source) && this.#emitters.delete(source)) source.removeListener("error", this.#onError);
  }
}

/** What Node's streams are, and what packages such as `readable-stream` or another realm have in their place. */
function isEmitter(source: unknown): source is EventEmitter {
  if (typeof source !== "object" || source === null) return false;
  return ["on", "removeListener"].every((method) => typeof Reflect.get(source, method) === "function");
}

export class WriteAfterEndError extends Error {
  override readonly name = "WriteAfterEndError";
  /** The code of Node's own streams. */
  readonly code = "ERR_STREAM_WRITE_AFTER_END";
}
