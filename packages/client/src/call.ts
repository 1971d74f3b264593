// The forms of one request for its caller: a stream, two callbacks, or a promise. Each is a `Caller`. Its methods are user
// code, which the driver calls after all effects of an input.

import { finished, Readable, type ReadableOptions } from "node:stream";
import { rejectionFor, withCurrentStack } from "@pigato/peer";
import { ReadReports } from "@pigato/peer/session";
import { type Frame, PigatoError, type RequestError, type RequestId, type UsageError } from "@pigato/protocol";
import { isError } from "@pigato/protocol/internal";
import type { Abortable, SharedSignal } from "./abort-signals.ts";
import type { InputPump } from "./input-pump.ts";
import type { Progress } from "./session/effects.ts";

/** Receives the replies of a request: any number of progress reports and partials, then a final or a failure. */
export interface Caller {
  onProgress?(progress: Progress): void;
  onPartial(value: unknown): void;
  onFinal(value: unknown): void;
  onFailure(error: RequestError | UsageError): void;
}

/** A caller with flow control. */
export interface PacedCaller extends Caller {
  /** The source of the request's input. */
  readonly input?: InputPump | undefined;
  /** The next report is due after this number of chunks. */
  reportReads?(after: number): void;
  /** The options that the worker sent with a partial or the final. Called before its value; no user code. */
  onReplyOptions?(options: Frame, isFinal: boolean): void;
}

/** An open request. Its methods have no effect once it has ended. */
export interface OpenRequest {
  readonly requestId: RequestId;
  /** Ends the request with `CANCELED`; the broker notifies the worker, if it can. */
  cancel(reason?: unknown): void;
  /** Notifies the worker that the caller still waits for the replies. */
  heartbeat(): void;
}

/** The operations of a stream or a handle on its request. They have no effect once the request has ended. */
export interface CallControl {
  /** Whether errors show where the request was made. */
  readonly hasCallerStacks: boolean;
  cancel(requestId: RequestId, reason: unknown): void;
  /** This number of chunks was read since the last report. */
  read(requestId: RequestId, chunks: number): void;
  heartbeat(requestId: RequestId): void;
}

/** Called with a value, or with the error of the request. */
export type ReplyCallback<Value = unknown> = (error: RequestError | UsageError | null, value: Value) => void;

/** A Readable in object mode whose chunks have a type. Node's own types are `any` there. */
interface TypedReadable<Value> extends Readable {
  on(event: "data", listener: (chunk: Value) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "dispatched", listener: (worker: string) => void): this;
  on(event: StreamEvent, listener: () => void): this;
  on(event: string | symbol, listener: (...args: never[]) => void): this;
  once(event: "data", listener: (chunk: Value) => void): this;
  once(event: "error", listener: (error: Error) => void): this;
  once(event: "dispatched", listener: (worker: string) => void): this;
  once(event: StreamEvent, listener: () => void): this;
  once(event: string | symbol, listener: (...args: never[]) => void): this;
  toArray(options?: { readonly signal?: AbortSignal }): Promise<Value[]>;
  [Symbol.asyncIterator](): NodeJS.AsyncIterator<Value>;
}

type StreamEvent = "close" | "end" | "pause" | "readable" | "resume" | "heartbeat" | "queued" | "stored";

/** The same class: only its type differs. */
const TypedReadable: new <Value>(options: ReadableOptions) => TypedReadable<Value> = Readable;

/**
 * The replies of one request, in order. A failure is the stream's error. Destroying the stream, also by leaving a `for await`,
 * cancels the request. A chunk that is `null` or `undefined` is left out, because a stream cannot carry it.
 *
 * While the stream is not read, the worker is paused, if broker and worker support flow control. The stream then buffers about
 * 2 MiB of chunks, or one chunk that is larger. Further events: `heartbeat` when the worker reports that the
 * request still runs; with the option `notices`, `queued` when the request waits for a worker, and `dispatched` with the
 * worker's id when a worker gets it.
 */
export class ReplyStream<Value = unknown> extends TypedReadable<Value> {
  readonly #requestId: RequestId;
  readonly #control: CallControl;
  readonly #reads: ReadReports;

  // The client's own operations on a stream are static, so that users do not see them.

  static reportReads(stream: ReplyStream, after: number): void {
    stream.#reads.setNext(after);
  }

  /** The next chunk. */
  static add(stream: ReplyStream, value: unknown): void {
    if (value === null || value === undefined) return stream.#reads.onRead();
    stream.push(value);
    // If the stream is empty, a listener has consumed the chunk.
    if (stream.readableLength === 0) stream.#reads.onRead();
  }

  constructor(requestId: RequestId, control: CallControl) {
    super({ objectMode: true });
    this.#requestId = requestId;
    this.#control = control;
    this.#reads = new ReadReports((chunks) => control.read(requestId, chunks));
  }

  /**
   * Notifies the worker that the caller still waits for the replies. With each of its heartbeats, a client does this for every
   * request that has been open for longer than one interval.
   */
  heartbeat(): void {
    this.#control.heartbeat(this.#requestId);
  }

  /** Node's own iterator with one difference: the stack of its error shows the functions that iterate. */
  override async *[Symbol.asyncIterator](): AsyncGenerator<Value, undefined, undefined> {
    let ending: { readonly error: unknown } | undefined;
    let wake = (): void => {};
    this.on("readable", () => wake());
    onEnded(this, (error) => {
      ending = { error };
      wake();
    });
    try {
      for (;;) {
        const chunk: Value | null = this.destroyed ? null : this.read();
        if (chunk !== null) yield chunk;
        else if (ending === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        } else if (ending.error === undefined) return;
        else throw this.#shown(ending.error);
      }
    } finally {
      this.destroy();
    }
  }

  #shown(error: unknown): unknown {
    const isOwn = error instanceof PigatoError && !this.#control.hasCallerStacks;
    return isOwn ? withCurrentStack(error) : error;
  }

  override read(size?: number): ReturnType<Readable["read"]> {
    const chunk: unknown = super.read(size);
    if (chunk !== null) this.#reads.onRead();
    return chunk;
  }

  override _read(): void {}

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#control.cancel(this.#requestId, error ?? undefined);
    callback(error);
  }
}

/** @param listener called with the error, if there is one */
function onEnded(stream: Readable, listener: (error: unknown) => void): void {
  finished(stream, { writable: false }, listener);
}

/** How a stream converts what it gets. */
interface StreamConversion {
  toError(failure: RequestError): Error;
  /** Throws for a chunk that its caller must not get. */
  readChunk?(chunk: unknown): unknown;
}

export class StreamCaller implements PacedCaller {
  readonly #stream: ReplyStream;
  readonly #conversion: StreamConversion | undefined;

  constructor(stream: ReplyStream, conversion?: StreamConversion) {
    this.#stream = stream;
    this.#conversion = conversion;
  }

  reportReads(after: number): void {
    ReplyStream.reportReads(this.#stream, after);
  }

  onProgress(progress: Progress): void {
    if (progress.type === "heartbeat") this.#stream.emit("heartbeat");
    else this.#stream.emit(progress.notice.state, progress.notice.worker);
  }

  onPartial(value: unknown): void {
    if (this.#conversion?.readChunk === undefined || value === null) ReplyStream.add(this.#stream, value);
    else this.#convert(value, this.#conversion.readChunk);
  }

  onFinal(value: unknown): void {
    this.onPartial(value);
    if (!this.#stream.destroyed) this.#stream.push(null);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#stream.destroy(error.code === "USAGE" ? error : (this.#conversion?.toError(error) ?? error));
  }

  #convert(value: unknown, read: (chunk: unknown) => unknown): void {
    try {
      ReplyStream.add(this.#stream, read(value));
    } catch (error) {
      this.#stream.destroy(isError(error) ? error : new Error("a chunk cannot be read", { cause: error }));
    }
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

  onFailure(error: RequestError | UsageError): void {
    this.#onFinal?.(error, null);
  }
}

/** What all calls of one client, or of one method, share. */
export interface FinalPort {
  /** Called with the number of chunks before the one that is the value. */
  onLeftOut(service: string, chunks: number): void;
  toError?(failure: RequestError): Error;
}

/** Resolves to the final value. Where the reply ends without one, as `pipeline(file, reply)` does, its last partial is the value. */
export class FinalCaller implements Caller {
  readonly #resolve: (value: unknown) => void;
  readonly #service: string;
  readonly #port: FinalPort;
  #chunks = 0;
  #last: unknown;

  constructor(resolve: (value: unknown) => void, service: string, port: FinalPort) {
    this.#resolve = resolve;
    this.#service = service;
    this.#port = port;
  }

  onPartial(value: unknown): void {
    this.#chunks += 1;
    this.#last = value;
  }

  onFinal(value: unknown): void {
    const isLast = (value === null || value === undefined) && this.#chunks > 0;
    if (isLast && this.#chunks > 1) this.#port.onLeftOut(this.#service, this.#chunks - 1);
    this.#resolve(isLast ? (this.#last ?? value) : value);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#resolve(rejectionFor(error.code === "USAGE" ? error : (this.#port.toError?.(error) ?? error)));
  }
}

/** Resolves to every chunk in order. A final of `null` or `undefined` adds no chunk. */
export class CollectCaller implements Caller {
  readonly #chunks: unknown[] = [];
  readonly #resolve: (chunks: unknown[] | Promise<never>) => void;

  constructor(resolve: (chunks: unknown[] | Promise<never>) => void) {
    this.#resolve = resolve;
  }

  onPartial(value: unknown): void {
    this.#chunks.push(value);
  }

  onFinal(value: unknown): void {
    if (value !== null && value !== undefined) this.#chunks.push(value);
    this.#resolve(this.#chunks);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#resolve(rejectionFor(error));
  }
}

/** Cancels the request when a signal aborts, as long as the request is open. */
export class AbortableCaller implements PacedCaller, Abortable {
  readonly #caller: PacedCaller;
  readonly #signal: SharedSignal;
  readonly #cancel: (reason: unknown) => void;

  constructor(caller: PacedCaller, signal: SharedSignal, cancel: (reason: unknown) => void) {
    this.#caller = caller;
    this.#signal = signal;
    this.#cancel = cancel;
    signal.add(this);
  }

  get input(): InputPump | undefined {
    return this.#caller.input;
  }

  onAbort(reason: unknown): void {
    this.#cancel(reason);
  }

  reportReads(after: number): void {
    this.#caller.reportReads?.(after);
  }

  onReplyOptions(options: Frame, isFinal: boolean): void {
    this.#caller.onReplyOptions?.(options, isFinal);
  }

  onProgress(progress: Progress): void {
    this.#caller.onProgress?.(progress);
  }

  onPartial(value: unknown): void {
    this.#caller.onPartial(value);
  }

  onFinal(value: unknown): void {
    this.#signal.delete(this);
    this.#caller.onFinal(value);
  }

  onFailure(error: RequestError | UsageError): void {
    this.#signal.delete(this);
    this.#caller.onFailure(error);
  }
}
