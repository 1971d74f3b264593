// The streamed input of a request, as its handler reads it. Most requests have none, and many handlers read none, so the stream is
// created when the handler asks for it.

import { Readable } from "node:stream";
import { ReadReports } from "@pigato/peer/session";
import type { Frame } from "@pigato/protocol";

/** The worker, as the input of one request uses it. */
export interface InputPort {
  /** The handler has read so many chunks since the last report; 0 when it starts to read. */
  onRead(chunks: number): void;
  /** The value of a chunk. @throws an error, which ends the request, for one that cannot be decoded */
  decode(chunk: Frame): unknown;
}

/** How the input ended without its last chunk. */
interface Ending {
  readonly error: Error | undefined;
}

/**
 * The chunks of a request's input, in order: a Readable in object mode. A chunk that is `null` is left out, because a stream cannot
 * carry it. The client sends as much as the handler reads. If the request ends early, the stream is destroyed with its error.
 */
export class InputStream extends Readable {
  readonly #port: InputPort;
  readonly #reads: ReadReports;
  #hasStarted = false;

  // The worker's own operations are static, so that handlers do not see them.

  static reportReads(stream: InputStream, after: number): void {
    stream.#reads.setNext(after);
  }

  static add(stream: InputStream, value: unknown): void {
    if (value === null || value === undefined) return stream.#reads.onRead();
    stream.push(value);
    // If the stream is empty, a listener has consumed the chunk.
    if (stream.readableLength === 0) stream.#reads.onRead();
  }

  constructor(port: InputPort) {
    super({ objectMode: true });
    this.#port = port;
    this.#reads = new ReadReports((chunks) => port.onRead(chunks));
    // The client or the worker knows the error. A handler that does not listen for it must not end the process.
    this.on("error", () => {});
  }

  override read(size?: number): ReturnType<Readable["read"]> {
    const chunk: unknown = super.read(size);
    if (chunk !== null) this.#reads.onRead();
    return chunk;
  }

  override _read(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.#port.onRead(0);
  }
}

const NO_INPUT: InputPort = Object.freeze({ onRead() {}, decode: () => undefined });

export class ReplyInput {
  readonly #port: InputPort;
  #stream: InputStream | undefined;
  #ending: Ending | undefined;

  constructor(port: InputPort) {
    this.#port = port;
  }

  /** The input of a request without one. */
  static none(): ReplyInput {
    const input = new ReplyInput(NO_INPUT);
    input.stream.push(null);
    return input;
  }

  /** Whether the handler has asked for it, so that another worker would get the rest only. */
  get isInUse(): boolean {
    return this.#stream !== undefined && this.#port !== NO_INPUT;
  }

  get stream(): InputStream {
    if (this.#stream === undefined) {
      this.#stream = new InputStream(this.#port);
      if (this.#ending !== undefined) this.#stream.destroy(this.#ending.error);
    }
    return this.#stream;
  }

  /** @throws an error of the decoder */
  add(chunks: readonly Frame[]): void {
    for (const chunk of chunks) {
      if (this.stream.destroyed) return;
      InputStream.add(this.stream, this.#port.decode(chunk));
    }
  }

  end(): void {
    if (!this.stream.destroyed) this.stream.push(null);
  }

  reportReads(after: number): void {
    if (this.#stream?.destroyed === false) InputStream.reportReads(this.#stream, after);
  }

  /** The request has ended. Has no effect on input that was read to its end. */
  close(error: Error | undefined): void {
    this.#ending ??= { error };
    this.#stream?.destroy(error);
  }
}
