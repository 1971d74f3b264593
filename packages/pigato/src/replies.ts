// The two forms in which classic code takes a reply. Both hear nothing more once their client was stopped.

import { Readable } from "node:stream";
import type { Caller, OpenRequest, RequestError } from "@pigato/client";
import { errorValue } from "./errors.ts";

export type PartialCallback = (error: null, value: unknown) => void;
/** `error` is 0 for success; else `value` is `null`. */
export type FinalCallback = (error: unknown, value: unknown) => void;

/** Whether the client was stopped. */
interface Ending {
  readonly isOver: boolean;
}

/**
 * The replies of one request, in order. A failure is an `error` event, of any value, and then the end. A value that is
 * `null` cannot travel through a stream and is left out. Destroying it cancels the request.
 */
export class ReplyStream extends Readable {
  /** The request whose replies these are. */
  request: OpenRequest | undefined;

  constructor() {
    super({ objectMode: true });
  }

  /** Tells the worker that somebody still waits for the replies. */
  heartbeat(): void {
    this.request?.heartbeat();
  }

  override _read(): void {}

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.request?.cancel(error ?? undefined);
    callback(error);
  }
}

export class StreamCaller implements Caller {
  readonly #ending: Ending;
  readonly #stream: ReplyStream;

  constructor(ending: Ending, stream: ReplyStream) {
    this.#ending = ending;
    this.#stream = stream;
  }

  onPartial(value: unknown): void {
    if (this.#isHeard && value !== null && value !== undefined) this.#stream.push(value);
  }

  onFinal(value: unknown): void {
    this.onPartial(value);
    if (this.#isHeard) this.#stream.push(null);
  }

  onFailure(error: RequestError): void {
    if (!this.#isHeard) return;
    try {
      this.#stream.emit("error", errorValue(error));
    } finally {
      this.#stream.push(null);
    }
  }

  get #isHeard(): boolean {
    return !this.#ending.isOver && !this.#stream.destroyed;
  }
}

export class CallbackCaller implements Caller {
  readonly #ending: Ending;
  readonly #onPartial: unknown;
  readonly #onFinal: unknown;

  /** Callbacks that are no functions are none. */
  constructor(ending: Ending, onPartial: unknown, onFinal: unknown) {
    this.#ending = ending;
    this.#onPartial = onPartial;
    this.#onFinal = onFinal;
  }

  onPartial(value: unknown): void {
    this.#call(this.#onPartial, null, value ?? null);
  }

  onFinal(value: unknown): void {
    this.#end(0, value ?? null);
  }

  onFailure(error: RequestError): void {
    this.#end(errorValue(error), null);
  }

  /** In the next tick, as the end of a stream: requests end in one order, whichever form they have. */
  #end(error: unknown, value: unknown): void {
    process.nextTick(() => this.#call(this.#onFinal, error, value));
  }

  #call(callback: unknown, error: unknown, value: unknown): void {
    if (typeof callback === "function" && !this.#ending.isOver) Reflect.apply(callback, undefined, [error, value]);
  }
}
