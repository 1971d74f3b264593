// The two forms in which classic code receives replies. A stopped client delivers nothing to either.

import { Readable } from "node:stream";
import type { Caller, OpenRequest, Progress, RequestError, UsageError } from "@pigato/client";
import { nextTick } from "@pigato/peer";
import { errorValue } from "./errors.ts";

export type PartialCallback = (error: null, value: unknown) => void;
/** `error` is 0 for success; else `value` is `null`. */
export type FinalCallback = (error: unknown, value: unknown) => void;

interface Stoppable {
  readonly isStopped: boolean;
}

/**
 * The replies of one request, in order. A failure is an `error` event with any value, and then the end. A `null` value is left
 * out, because a stream cannot carry it. Destroying the stream cancels the request.
 */
export class ReplyStream extends Readable {
  /** The id of the request. */
  request: OpenRequest | undefined;

  constructor() {
    super({ objectMode: true });
  }

  /** Notifies the worker that the client still waits for the replies. */
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
  readonly #lifecycle: Stoppable;
  readonly #stream: ReplyStream;

  constructor(lifecycle: Stoppable, stream: ReplyStream) {
    this.#lifecycle = lifecycle;
    this.#stream = stream;
  }

  /** The request is alive: its worker called `reply.heartbeat()`, or answered a heartbeat of this side. */
  onProgress(progress: Progress): void {
    if (this.#isWanted && progress.type === "heartbeat") this.#stream.emit("heartbeat");
  }

  onPartial(value: unknown): void {
    if (this.#isWanted && value !== null && value !== undefined) this.#stream.push(value);
  }

  onFinal(value: unknown): void {
    this.onPartial(value);
    if (this.#isWanted) this.#stream.push(null);
  }

  onFailure(error: RequestError | UsageError): void {
    if (!this.#isWanted) return;
    try {
      this.#stream.emit("error", errorValue(error));
    } finally {
      this.#stream.push(null);
    }
  }

  get #isWanted(): boolean {
    return !this.#lifecycle.isStopped && !this.#stream.destroyed;
  }
}

export class CallbackCaller implements Caller {
  readonly #lifecycle: Stoppable;
  readonly #onPartial: unknown;
  readonly #onFinal: unknown;

  /** Callbacks that are not functions are ignored. */
  constructor(lifecycle: Stoppable, onPartial: unknown, onFinal: unknown) {
    this.#lifecycle = lifecycle;
    this.#onPartial = onPartial;
    this.#onFinal = onFinal;
  }

  onPartial(value: unknown): void {
    this.#call(this.#onPartial, null, value ?? null);
  }

  onFinal(value: unknown): void {
    this.#end(0, value ?? null);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#end(errorValue(error), null);
  }

  /** In the next tick, like the end of a stream, so that requests of both forms end in order. */
  #end(error: unknown, value: unknown): void {
    nextTick(() => this.#call(this.#onFinal, error, value));
  }

  #call(callback: unknown, error: unknown, value: unknown): void {
    if (typeof callback === "function" && !this.#lifecycle.isStopped)
      Reflect.apply(callback, undefined, [error, value]);
  }
}
