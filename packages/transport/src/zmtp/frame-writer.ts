// Messages to bytes. HOT: every byte sent passes here. The benchmark is apps/bench/src/transport.ts; change nothing here
// without it.
//
// Small frames are copied into a buffer of the pool, one after the other, so that one write takes many messages. A frame
// above 16 KiB is passed by reference, as a piece of its own between pieces of the buffer.

import type { FramesToSend } from "../byte-strings.ts";
import { LONG, LONG_HEADER_BYTES, MAX_SHORT_SIZE, MORE, SHORT_HEADER_BYTES } from "./wire.ts";

const BY_REFERENCE_BYTES = 16 * 1024;
/** Up to this size, copying byte by byte is faster than a call. */
const BYTEWISE_BYTES = 24;

/** The content of one write: the pieces in order, and the pool's buffers that they lie in. */
export interface Output {
  readonly pieces: readonly Uint8Array[];
  readonly buffers: readonly Buffer[];
}

/** The size of a pool's buffers. */
export const BUFFER_BYTES: number = 128 * 1024;
/** So much of one message shows that large frames arrive. */
const LARGE_BYTES = 16 * 1024;
/** What glibc may keep of freed memory. */
const KEPT_BYTES = 32 * 1024 * 1024;
/** The garbage collector gets further idle buffers. */
const MAX_IDLE_BUFFERS = 32;

/** Reusable buffers of one link. A connection has a buffer only while it has something to write. */
export class BufferPool {
  readonly #idle: Buffer[] = [];
  #keepsFreed = false;

  /**
   * So many bytes of a message wait for its rest. If they are many, large frames arrive. glibc would return their memory to the kernel
   * as soon as it is freed, and each page of the next ones would cost a page fault: more than all else for a chunk of 64 KB. Once a
   * block was freed, glibc keeps up to twice its size (M_TRIM_THRESHOLD in mallopt(3), which adapts). Nothing is written to the block,
   * so it takes no memory itself.
   */
  onUnfinished(bytes: number): void {
    if (bytes < LARGE_BYTES || this.#keepsFreed) return;
    this.#keepsFreed = true;
    Buffer.allocUnsafeSlow(KEPT_BYTES / 2);
  }

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Only when nothing reads the buffer any more. */
  giveBack(buffer: Buffer): void {
    if (this.#idle.length < MAX_IDLE_BUFFERS) this.#idle.push(buffer);
  }
}

export class FrameWriter {
  readonly #pool: BufferPool;
  #buffer: Buffer | undefined;
  /** Where the current piece of the buffer starts, and where it ends so far. */
  #start = 0;
  #end = 0;
  #pieces: Uint8Array[] = [];
  #fullBuffers: Buffer[] = [];
  #bytes = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Bytes added and not taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @param frames at least one */
  add(frames: FramesToSend): void {
    const last = frames.length - 1;
    for (let index = 0; index <= last; index++) {
      const frame = frames[index];
      const flags = index < last ? MORE : 0;
      if (typeof frame === "string") this.#addText(frame, flags);
      else if (frame !== undefined) this.#addFrame(frame, flags);
    }
  }

  /** Adds encoded bytes. */
  addEncoded(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#end);
    this.#end += bytes.length;
    this.#bytes += bytes.length;
  }

  /** Removes what was added. The caller gives the buffers back to the pool. */
  take(): Output {
    this.#cut();
    const { pieces: taken, buffer } = { pieces: this.#pieces, buffer: this.#buffer };
    const buffers = this.#fullBuffers;
    if (buffer !== undefined) buffers.push(buffer);
    this.#pieces = [];
    this.#fullBuffers = [];
    this.#buffer = undefined;
    this.#start = 0;
    this.#end = 0;
    this.#bytes = 0;
    return { pieces: taken, buffers };
  }

  #addText(text: string, flags: number): void {
    const size = text.length;
    if (size > MAX_SHORT_SIZE) return this.#addFrame(Buffer.from(text, "latin1"), flags);
    const buffer = this.#room(SHORT_HEADER_BYTES + size);
    let at = this.#end;
    buffer[at++] = flags;
    buffer[at++] = size;
    for (let index = 0; index < size; index++) buffer[at++] = text.charCodeAt(index);
    this.#bytes += at - this.#end;
    this.#end = at;
  }

  #addFrame(frame: Uint8Array, flags: number): void {
    const size = frame.length;
    const isByReference = size > BY_REFERENCE_BYTES;
    const buffer = this.#room(LONG_HEADER_BYTES + (isByReference ? 0 : size));
    const start = this.#end;
    let at = start;
    if (size <= MAX_SHORT_SIZE) {
      buffer[at++] = flags;
      buffer[at++] = size;
    } else {
      buffer[at++] = flags | LONG;
      buffer.writeUInt32BE(Math.floor(size / 0x1_0000_0000), at);
      buffer.writeUInt32BE(size % 0x1_0000_0000, at + 4);
      at += 8;
    }
    this.#bytes += at - start + size;
    if (isByReference) {
      this.#end = at;
      this.#cut();
      this.#pieces.push(frame);
      return;
    }
    if (size <= BYTEWISE_BYTES) {
      for (let index = 0; index < size; index++) buffer[at + index] = frame[index] ?? 0;
    } else {
      buffer.set(frame, at);
    }
    this.#end = at + size;
  }

  /** Returns the buffer, with room for as many bytes at its end. */
  #room(bytes: number): Buffer {
    let buffer = this.#buffer;
    if (buffer !== undefined && this.#end + bytes <= buffer.length) return buffer;
    if (buffer !== undefined) {
      this.#cut();
      this.#fullBuffers.push(buffer);
    }
    buffer = this.#pool.take();
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = 0;
    return buffer;
  }

  #cut(): void {
    if (this.#buffer === undefined || this.#end === this.#start) return;
    this.#pieces.push(this.#buffer.subarray(this.#start, this.#end));
    this.#start = this.#end;
  }
}
