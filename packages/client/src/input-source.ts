// What may be the input of a request, and how it is read: every kind of source as one that is pulled. A source is user code, which may
// throw anything, so its methods are called within a promise or `guarded`.

import type { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { guarded, isRawValue } from "@pigato/peer";
import { PigatoError, UsageError } from "@pigato/protocol";
import { isAsyncIterable } from "@pigato/protocol/internal";

/**
 * The chunks of a request's input: an iterable, an async iterable such as a Node stream, a web `ReadableStream`, or the bytes of a
 * `Blob`, a `Uint8Array` or an `ArrayBuffer`.
 */
export type InputSource<Chunk = unknown> =
  | AsyncIterable<Chunk>
  | Iterable<Chunk>
  | ReadableStream<Chunk>
  | Blob
  | Uint8Array
  | ArrayBuffer;

/** A source, or a function that returns a new one for each attempt, so that a request with `retry` can start over. */
export type RequestInputSource<Chunk = unknown> =
  | InputSource<Chunk>
  | (() => InputSource<Chunk> | Promise<InputSource<Chunk>>);

type Result = IteratorResult<unknown, unknown>;

/** The methods of a web stream that are used. Its types differ between Node and the DOM. */
interface WebStream {
  getReader(): { read(): Promise<Result>; cancel(): Promise<void> };
  cancel(): Promise<void>;
}

/** A source that is being read. */
export interface OpenSource {
  next(): Result | PromiseLike<Result>;
  /** Has no effect on a source that was read to its end. */
  close(): void;
}

/** Whether a value can be the input of a request. */
export function isInputSource(value: unknown): value is RequestInputSource {
  if (typeof value === "function") return true;
  if (typeof value !== "object" || value === null) return false;
  return isRawValue(value) || has(value, "getReader") || has(value, "stream") || isIterable(value);
}

/** Whether a source can be read again from its start: a function that returns a new one, or what can be read several times. */
export function isReplayable(source: unknown): boolean {
  const origin = SourceChunks.originOf(source);
  return typeof origin === "function" || isReiterable(origin);
}

/** Whether a source can be read several times. An iterator, a stream or a generator cannot. */
export function isReiterable(source: unknown): boolean {
  return (
    isRawValue(source) || Array.isArray(source) || (typeof source === "object" && source !== null && isBlob(source))
  );
}

/** Whether all chunks of a source are bytes, as far as that can be known before it is read. */
export function isByteSource(source: unknown): boolean {
  if (isRawValue(source)) return true;
  if (typeof source !== "object" || source === null) return false;
  if (has(source, "arrayBuffer") && has(source, "stream")) return true;
  return isNodeStream(source) && !source.readableObjectMode && source.readableEncoding === null;
}

/**
 * Starts to read a source.
 * @throws UsageError for a value that is no source, and what the source throws
 */
export function openSource(source: unknown): OpenSource {
  if (isRawValue(source)) return iterated([source][Symbol.iterator]());
  if (typeof source === "object" && source !== null) {
    if (isNodeStream(source)) return { ...iterated(source[Symbol.asyncIterator]()), close: () => source.destroy() };
    if (isWebStream(source)) return readFrom(source);
    if (isBlob(source)) return readFrom(source.stream());
    if (isAsyncIterable(source)) return iterated(source[Symbol.asyncIterator]());
    if (isIterable(source)) return iterated(source[Symbol.iterator]());
  }
  throw new UsageError("the input of a request must be an iterable, a stream, a Blob or bytes");
}

/** A chunk that does not match its schema. The request fails with it, and is not canceled as by another error of its source. */
export class InvalidChunk extends PigatoError {
  override readonly name = "InvalidChunk";
  readonly code = "INVALID_ARGUMENT";
  readonly detail: unknown;

  constructor(message: string, detail: unknown) {
    super(message);
    this.detail = detail;
  }
}

/** The chunks of a source, as interceptors read them, or with a check of each. Not opened before that. */
export class SourceChunks implements AsyncIterable<unknown> {
  readonly #source: RequestInputSource;
  readonly #check: ChunkCheck | undefined;

  /** The same source with a check of each chunk. A function is called for each attempt. */
  static checked(source: RequestInputSource, check: ChunkCheck): RequestInputSource {
    if (typeof source !== "function") return new SourceChunks(source, check);
    return async () => new SourceChunks(await source(), check);
  }

  /** The source itself, unless an interceptor replaced its chunks. */
  static sourceOf(chunks: unknown): unknown {
    return typeof chunks === "object" && chunks !== null && #source in chunks ? chunks.#source : chunks;
  }

  /** The source behind all such wrappers. */
  static originOf(source: unknown): unknown {
    let origin = source;
    while (typeof origin === "object" && origin !== null && #source in origin) origin = origin.#source;
    return origin;
  }

  constructor(source: RequestInputSource, check?: ChunkCheck) {
    this.#source = source;
    this.#check = check;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown> {
    const source = this.#source;
    const opened = openSource(typeof source === "function" ? await source() : source);
    try {
      for (;;) {
        const { done, value } = await opened.next();
        if (done === true) return;
        await this.#check?.(value);
        yield value;
      }
    } finally {
      opened.close();
    }
  }
}

/** Rejects for a chunk that must not be sent. */
type ChunkCheck = (chunk: unknown) => Promise<void>;

/** Ends a source that is not read any more. */
export function discardSource(source: unknown): void {
  const origin = SourceChunks.originOf(source);
  if (typeof origin !== "object" || origin === null) return;
  if (isNodeStream(origin)) origin.destroy();
  else if (isWebStream(origin)) void origin.cancel().catch(() => {});
}

/** Watches a Node stream that is not read yet: its error, as of a file that does not exist, would end the process. */
export function watchSource(source: unknown, onError: (error: unknown) => void): void {
  const origin = SourceChunks.originOf(source);
  if (typeof origin === "object" && origin !== null && isNodeStream(origin)) origin.on("error", onError);
}

function iterated(iterator: Iterator<unknown> | AsyncIterator<unknown>): OpenSource {
  return {
    next: () => iterator.next(),
    close() {
      guarded(() => {
        Promise.resolve(iterator.return?.()).catch(() => {});
      });
    },
  };
}

/** Its own iterator could not be closed while it waits for a chunk. */
function readFrom(stream: WebStream): OpenSource {
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    close: () => void reader.cancel().catch(() => {}),
  };
}

function isNodeStream(value: object): value is Readable {
  return has(value, "pipe") && has(value, "destroy") && has(value, "on") && isAsyncIterable(value);
}

function isWebStream(value: object): value is WebStream {
  return has(value, "getReader") && has(value, "cancel");
}

function isBlob(value: object): value is { stream(): WebStream } {
  return has(value, "stream") && has(value, "arrayBuffer");
}

function isIterable(value: object): value is Iterable<unknown> {
  return typeof Reflect.get(value, Symbol.iterator) === "function" || isAsyncIterable(value);
}

function has(value: object, method: string): boolean {
  return typeof Reflect.get(value, method) === "function";
}
