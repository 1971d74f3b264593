// Bytes to frames, in whatever pieces the bytes arrive. HOT for large frames; the benchmark is apps/bench/src/transport.ts.
//
// It reads one frame at a time into a buffer of its own, as large as the frame, so that a large frame is copied once. The same
// bytes give the same frames, however they are split.

import {
  ALL_FLAGS,
  COMMAND,
  LONG,
  LONG_HEADER_BYTES,
  protocolViolation,
  readLongSize,
  SHORT_HEADER_BYTES,
  type Violation,
} from "./wire.ts";

/**
 * A frame gets memory as its bytes arrive, because a header may announce any size. The first allocation is a multiple of the bytes that
 * came with the header, up to a bound. A large frame usually fills its chunk and gets the bound at once, so it is rarely copied.
 */
const MIN_FIRST_BYTES = 64 * 1024;
const MAX_FIRST_BYTES = 1024 * 1024;
const FIRST_FACTOR = 128;
const BODY_GROWTH = 4;
const NO_BODY = Buffer.alloc(0);
/** The least bytes of a frame that is read directly into its own memory. */
const LARGE_BYTES = 32 * 1024;
/** For fewer bytes, a copy costs less than a system call of their own. */
const MIN_TARGET_BYTES = 16 * 1024;

/** The verdict on a header for a frame whose body is read and not kept. */
export const SKIP = "skip";

export interface FrameSink {
  /** Checks a header before memory is allocated. @returns why the frame is rejected, or that it is not kept */
  onHeader(flags: number, size: number): Violation | typeof SKIP | undefined;
  /** @param flags include LONG. @param body is empty if it was not kept */
  onFrame(flags: number, body: Buffer): void;
}

export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(LONG_HEADER_BYTES);
  #headerBytes = 0;
  /** The body in progress, and how much of it has arrived. */
  #body: Buffer | undefined;
  #bodySize = 0;
  #bodyBytes = 0;
  #isSkipping = false;
  #hasReadLarge = false;
  #violation: Violation | undefined;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether a part of a frame has arrived. */
  get isWithinFrame(): boolean {
    return this.#headerBytes > 0;
  }

  /** Whether a part of a command has arrived. */
  get isWithinCommand(): boolean {
    return this.#headerBytes > 0 && ((this.#header[0] ?? 0) & COMMAND) !== 0;
  }

  /** What has arrived of the frame in progress, with its header. */
  get receivedBytes(): number {
    return this.#body === undefined ? this.#headerBytes : this.#headerBytes + this.#bodyBytes;
  }

  /** Of those, what is kept. */
  get keptBytes(): number {
    return this.#isSkipping ? this.#headerBytes : this.receivedBytes;
  }

  /** The size of the body in progress, or of the last one. */
  get bodySize(): number {
    return this.#bodySize;
  }

  /** What is wrong with the bytes. Nothing is read after it. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Where the next bytes of a large frame belong, if there is room for many: a socket may read into it (see `filled`). */
  get target(): Buffer | undefined {
    const body = this.#body;
    if (body === undefined || body.length - this.#bodyBytes < MIN_TARGET_BYTES) return undefined;
    return body.subarray(this.#bodyBytes);
  }

  /** Whether a large frame has ended since the last call. */
  takeHasReadLarge(): boolean {
    const hasReadLarge = this.#hasReadLarge;
    this.#hasReadLarge = false;
    return hasReadLarge;
  }

  /** So many bytes were read into `target`. */
  filled(bytes: number): void {
    this.#bodyBytes += bytes;
    if (this.#bodyBytes === this.#bodySize && this.#body !== undefined) this.#endFrame(this.#body);
  }

  /** Reads to the end of one frame, or of the chunk. @returns where it stopped */
  read(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#body === undefined) {
      if (at >= chunk.length) return at;
      at = this.#readHeader(chunk, at);
      if (this.#violation !== undefined) return chunk.length;
    }
    at = this.#readBody(chunk, at);
    if (this.#violation !== undefined) return chunk.length;
    if (this.#bodyBytes < this.#bodySize) return at;
    this.#endFrame(this.#body);
    return at;
  }

  #endFrame(memory: Buffer): void {
    if (this.#bodySize >= LARGE_BYTES) this.#hasReadLarge = true;
    const body = this.#isSkipping ? NO_BODY : memory.subarray(0, this.#bodySize);
    this.#headerBytes = 0;
    this.#body = undefined;
    this.#sink.onFrame(this.#header[0] ?? 0, body);
  }

  #readHeader(chunk: Buffer, from: number): number {
    const header = this.#header;
    let at = from;
    let wanted = SHORT_HEADER_BYTES;
    do {
      header[this.#headerBytes] = chunk[at] ?? 0;
      this.#headerBytes += 1;
      at += 1;
      if ((header[0] ?? 0) > ALL_FLAGS) {
        this.#violation = protocolViolation(`a frame with the reserved flags ${header[0]}`);
        return at;
      }
      if ((header[0] ?? 0) & LONG) wanted = LONG_HEADER_BYTES;
    } while (this.#headerBytes < wanted && at < chunk.length);
    if (this.#headerBytes < wanted) return at;
    const size = wanted === LONG_HEADER_BYTES ? readLongSize(header, 1) : (header[1] ?? 0);
    this.#beginBody(header[0] ?? 0, size, chunk.length - at);
    return at;
  }

  /** @param available bytes that follow the header in its chunk */
  #beginBody(flags: number, size: number, available: number): void {
    const verdict = this.#sink.onHeader(flags, size);
    this.#isSkipping = verdict === SKIP;
    this.#violation = verdict === SKIP ? undefined : verdict;
    if (this.#violation !== undefined) return;
    this.#bodySize = size;
    this.#bodyBytes = 0;
    const firstBytes = Math.min(Math.max(MIN_FIRST_BYTES, available * FIRST_FACTOR), MAX_FIRST_BYTES);
    this.#body = this.#isSkipping ? NO_BODY : this.#allocate(firstBytes);
  }

  #readBody(chunk: Buffer, from: number): number {
    if (this.#isSkipping) {
      const until = Math.min(chunk.length, from + this.#bodySize - this.#bodyBytes);
      this.#bodyBytes += until - from;
      return until;
    }
    let body = this.#body;
    let at = from;
    while (body !== undefined && at < chunk.length && this.#bodyBytes < this.#bodySize) {
      if (this.#bodyBytes === body.length) {
        const larger = this.#allocate(body.length * BODY_GROWTH);
        if (larger === undefined) return at;
        body.copy(larger);
        body = larger;
        this.#body = body;
      }
      const until = Math.min(chunk.length, at + body.length - this.#bodyBytes);
      chunk.copy(body, this.#bodyBytes, at, until);
      this.#bodyBytes += until - at;
      at = until;
    }
    return at;
  }

  /** Memory for the body, of at most its size. Without memory the frame is a violation, so that only its connection ends. */
  #allocate(bytes: number): Buffer | undefined {
    const wanted = Math.min(this.#bodySize, bytes);
    try {
      return Buffer.allocUnsafe(wanted);
    } catch (cause) {
      const detail = `no memory for ${wanted} bytes of a frame of ${this.#bodySize} bytes`;
      this.#violation = { code: "OUT_OF_MEMORY", detail, cause };
      return undefined;
    }
  }
}
