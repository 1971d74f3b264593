// One request as its caller lives it: a stream, two callbacks, or a promise. The driver tells a `Caller` what came;
// whatever the caller's own code throws meanwhile is the driver's to keep away from the other calls.

import { Readable } from "node:stream";
import type { ReceiveWindow } from "@pigato/peer/session";
import type { RequestError, RequestId } from "@pigato/protocol";
import type { News } from "./session/effects.ts";

/** Who is told about a request: any number of news and partials, then a final or a failure, then nothing. */
export interface Caller {
  onNews?(news: News): void;
  onPartial(value: unknown): void;
  onFinal(value: unknown): void;
  onFailure(error: RequestError): void;
}

/** What can be done about a request that was made. No method has any effect once it has ended. */
export interface OpenRequest {
  readonly requestId: RequestId;
  /** Ends it with `CANCELED`; the worker is told, where the broker can. */
  cancel(reason?: unknown): void;
  /** Tells the worker that somebody still waits for the replies. */
  heartbeat(): void;
}

/** What a caller may still do about its request. Nothing of it has any effect once the request has ended. */
export interface CallControl {
  cancel(requestId: RequestId, reason: unknown): void;
  /** So much was read that more may come. */
  grant(requestId: RequestId): void;
  heartbeat(requestId: RequestId): void;
}

/** A value, or the reason why there is none. */
export type ReplyCallback<Value = unknown> = (error: RequestError | null, value: Value) => void;

/**
 * The replies of one request, in order. A failure is the stream's error. Destroying it, also by leaving a `for await`,
 * cancels the request. A chunk that is `null` or `undefined` cannot travel through a stream and is left out. While nobody
 * reads, the worker is asked to wait, where broker and worker can be asked: then about 2 MiB of chunks wait here, or 2 chunks
 * if they are larger, and 16 at first. Further events, for watching only: `heartbeat`, the request is alive, as its worker says
 * of its own accord or in answer to a heartbeat of this side; with the option `notices`, `queued`, it waits for a worker, and
 * `dispatched`, a worker has it, whose id is the argument.
 */
export class ReplyStream extends Readable {
  readonly #requestId: RequestId;
  readonly #control: CallControl;
  readonly #window: ReceiveWindow;

  // What the client does to a stream is static, out of the sight of whoever reads it.

  /** The next chunk. */
  static add(stream: ReplyStream, value: unknown): void {
    if (value === null || value === undefined) return stream.#onRead();
    stream.push(value);
    // Nothing waits: a listener took it at once.
    if (stream.readableLength === 0) stream.#onRead();
  }

  constructor(requestId: RequestId, control: CallControl, window: ReceiveWindow) {
    super({ objectMode: true });
    this.#requestId = requestId;
    this.#control = control;
    this.#window = window;
  }

  /**
   * Tells the worker that somebody still waits for the replies. A client does so by itself at each of its heartbeats, for
   * every request that has been open for longer than one interval.
   */
  heartbeat(): void {
    this.#control.heartbeat(this.#requestId);
  }

  override read(size?: number): ReturnType<Readable["read"]> {
    const chunk: unknown = super.read(size);
    if (chunk !== null) this.#onRead();
    return chunk;
  }

  override _read(): void {}

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#control.cancel(this.#requestId, error ?? undefined);
    callback(error);
  }

  #onRead(): void {
    if (this.#window.onRead()) this.#control.grant(this.#requestId);
  }
}

export class StreamCaller implements Caller {
  readonly #stream: ReplyStream;

  constructor(stream: ReplyStream) {
    this.#stream = stream;
  }

  onNews(news: News): void {
    if (news.type === "heartbeat") this.#stream.emit("heartbeat");
    else this.#stream.emit(news.notice.state, news.notice.worker);
  }

  onPartial(value: unknown): void {
    ReplyStream.add(this.#stream, value);
  }

  onFinal(value: unknown): void {
    this.onPartial(value);
    this.#stream.push(null);
  }

  onFailure(error: RequestError): void {
    this.#stream.destroy(error);
  }
}

export class CallbackCaller implements Caller {
  readonly #onPartial: ReplyCallback | undefined;
  readonly #onFinal: ReplyCallback | undefined;

  constructor(onPartial: ReplyCallback | undefined, onFinal: ReplyCallback | undefined) {
    this.#onPartial = onPartial;
    this.#onFinal = onFinal;
  }

  onPartial(value: unknown): void {
    this.#onPartial?.(null, value);
  }

  onFinal(value: unknown): void {
    this.#onFinal?.(null, value);
  }

  onFailure(error: RequestError): void {
    this.#onFinal?.(error, null);
  }
}

/** Resolves to the final value; partials are passed over. */
export class FinalCaller implements Caller {
  readonly #resolve: (value: unknown) => void;
  readonly onFailure: (error: RequestError) => void;

  constructor(resolve: (value: unknown) => void, reject: (error: RequestError) => void) {
    this.#resolve = resolve;
    this.onFailure = reject;
  }

  onPartial(): void {}

  onFinal(value: unknown): void {
    this.#resolve(value);
  }
}

/** Resolves to every chunk in order. A final of `null` or `undefined` only says that there is no more. */
export class CollectCaller implements Caller {
  readonly #chunks: unknown[] = [];
  readonly #resolve: (chunks: unknown[]) => void;
  readonly onFailure: (error: RequestError) => void;

  constructor(resolve: (chunks: unknown[]) => void, reject: (error: RequestError) => void) {
    this.#resolve = resolve;
    this.onFailure = reject;
  }

  onPartial(value: unknown): void {
    this.#chunks.push(value);
  }

  onFinal(value: unknown): void {
    if (value !== null && value !== undefined) this.#chunks.push(value);
    this.#resolve(this.#chunks);
  }
}

/** A caller that gives up when a signal aborts. Holds on to the signal no longer than to the request. */
export class AbortableCaller implements Caller {
  readonly #caller: Caller;
  readonly #signal: AbortSignal;
  readonly #requestId: RequestId;
  readonly #control: CallControl;

  constructor(caller: Caller, signal: AbortSignal, requestId: RequestId, control: CallControl) {
    this.#caller = caller;
    this.#signal = signal;
    this.#requestId = requestId;
    this.#control = control;
    signal.addEventListener("abort", this);
  }

  handleEvent(): void {
    this.#control.cancel(this.#requestId, this.#signal.reason);
  }

  onNews(news: News): void {
    this.#caller.onNews?.(news);
  }

  onPartial(value: unknown): void {
    this.#caller.onPartial(value);
  }

  onFinal(value: unknown): void {
    this.#signal.removeEventListener("abort", this);
    this.#caller.onFinal(value);
  }

  onFailure(error: RequestError): void {
    this.#signal.removeEventListener("abort", this);
    this.#caller.onFailure(error);
  }
}
