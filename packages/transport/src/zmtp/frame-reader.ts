// Bytes to messages, in whatever pieces they come. HOT: every byte received passes here. The benchmark is
// apps/bench/src/transport.ts; change nothing here without it.
//
// Two ways through. Messages that lie whole in one chunk are found by their headers alone and become views: of the chunk
// itself, or, if it is used again by the caller or so large that a small frame would keep it all alive, of a copy of up to
// 8 KiB with many messages in it. What a chunk cuts in two is read frame by frame into buffers of its own, each as large
// as the frame, so that a large one is put together once. Commands may come between the frames of a message.
//
// Whatever the splits, the same bytes give the same messages and then, at most once, the same violation.

import type { LinkLimits } from "../link.ts";
import type { Violation } from "./violation.ts";
import { ALL_FLAGS, COMMAND, LONG, LONG_HEADER_BYTES, MAX_COMMAND_BYTES, MORE, SHORT_HEADER_BYTES } from "./wire.ts";

/** Messages up to this size share their memory with others; a frame that is kept keeps no more than twice of it. */
const REGION_BYTES = 8 * 1024;
/** A frame that was announced gets this much memory at first, more as it comes: announcing costs nothing. */
const FIRST_BODY_BYTES = 1024 * 1024;
const BODY_GROWTH = 4;

/** What is told while a chunk is read. It may call `stop`. */
export interface FrameSink {
  onMessage(frames: readonly Uint8Array[]): void;
  onCommand(body: Buffer): void;
}

export type FrameLimits = Pick<LinkLimits, "maxFrameBytes" | "maxMessageBytes" | "maxFrames">;

export class FrameReader {
  readonly #limits: FrameLimits;
  readonly #sink: FrameSink;
  #acceptsMessages = false;
  #isStopped = false;
  #violation: Violation | undefined;

  /** Where the frames of the message before lie. */
  readonly #bodies: number[] = [];
  /** The frames of the message under way that are whole, and their bytes. */
  #frames: Uint8Array[] = [];
  #messageBytes = 0;
  /** The frame under way: its header, then its body, and how much of each is there. */
  readonly #header = Buffer.alloc(LONG_HEADER_BYTES);
  #headerBytes = 0;
  #body: Buffer | undefined;
  #bodySize = 0;
  #bodyBytes = 0;

  constructor(limits: FrameLimits, sink: FrameSink) {
    this.#limits = limits;
    this.#sink = sink;
  }

  /** From now on messages may come; before, only commands. */
  acceptMessages(): void {
    this.#acceptsMessages = true;
  }

  /** Nothing more is told. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Reads all of a chunk from the byte `from` on, telling what is in it.
   * @param isOurs the chunk will not be used again by whoever read it
   * @returns what is wrong with the bytes; nothing that comes after it is read
   */
  read(chunk: Buffer, from: number, isOurs: boolean): Violation | undefined {
    let at = from;
    if (this.#isWithinMessage) at = this.#readPiece(chunk, at);
    while (at < chunk.length && !this.#isStopped && this.#violation === undefined) {
      const end = this.#findWhole(chunk, at);
      if (end > at) this.#tellWhole(chunk, at, end, isOurs);
      at = end > at ? end : this.#readPiece(chunk, at);
    }
    return this.#violation;
  }

  get #isWithinMessage(): boolean {
    return this.#headerBytes > 0 || this.#frames.length > 0;
  }

  /**
   * Where the last message ends that is whole, within a region or, if there is none so small, in the chunk. Stops before
   * anything that is cut or wrong; `readPiece` looks at that.
   */
  #findWhole(chunk: Buffer, start: number): number {
    const { maxFrameBytes, maxMessageBytes, maxFrames } = this.#limits;
    let end = start;
    let frames = 0;
    let bytes = 0;
    for (let at = start; at + SHORT_HEADER_BYTES <= chunk.length; ) {
      const flags = chunk[at] ?? 0;
      let size = chunk[at + 1] ?? 0;
      let next = at + SHORT_HEADER_BYTES + size;
      if (flags & LONG) {
        if (at + LONG_HEADER_BYTES > chunk.length) break;
        size = readSize(chunk, at + 1);
        next = at + LONG_HEADER_BYTES + size;
      }
      if (next > chunk.length || flags > ALL_FLAGS) break;
      if (flags & COMMAND) {
        if (size > MAX_COMMAND_BYTES || flags & MORE) break;
      } else {
        frames += 1;
        bytes += size;
        if (!this.#acceptsMessages || size > maxFrameBytes || bytes > maxMessageBytes || frames > maxFrames) break;
        if ((flags & MORE) === 0) {
          frames = 0;
          bytes = 0;
        }
      }
      at = next;
      if (frames > 0) continue;
      if (at - start > REGION_BYTES) return end > start ? end : at;
      end = at;
    }
    return end;
  }

  #tellWhole(chunk: Buffer, start: number, end: number, isOurs: boolean): void {
    let source = chunk;
    let at = start;
    let until = end;
    // By reference, if what stays alive is small itself, or a good part of it is this message.
    if (!isOurs || (chunk.length > 2 * REGION_BYTES && end - start <= REGION_BYTES)) {
      until = end - start;
      source = Buffer.allocUnsafe(until);
      chunk.copy(source, 0, start, end);
      at = 0;
    }
    const { buffer: memory, byteOffset } = source;
    const bodies = this.#bodies;
    let before: readonly Uint8Array[] = NO_FRAMES;
    // A copy of what came before, to be written over, is made faster than an array that grows.
    let frames: Uint8Array[] = [];
    let count = 0;
    while (at < until) {
      const flags = source[at] ?? 0;
      const body = at + (flags & LONG ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES);
      const next = body + (flags & LONG ? readSize(source, at + 1) : (source[at + 1] ?? 0));
      const size = next - body;
      at = next;
      if (flags & COMMAND) {
        this.#sink.onCommand(source.subarray(body, next));
      } else {
        if (count >= frames.length) {
          frames.push(size <= 1 ? tinyFrame(size, source[body] ?? 0) : new Uint8Array(memory, byteOffset + body, size));
        } else if (size <= 1) {
          frames[count] = tinyFrame(size, source[body] ?? 0);
        } else if (before[count]?.length !== size || !isRepeated(source, bodies[count] ?? 0, body, size)) {
          frames[count] = new Uint8Array(memory, byteOffset + body, size);
        }
        bodies[count] = body;
        count += 1;
        if (flags & MORE) continue;
        if (count < frames.length) frames.length = count;
        before = frames;
        frames = before.slice();
        count = 0;
        this.#sink.onMessage(before);
      }
      if (this.#isStopped) return;
    }
  }

  /** Reads until the message or command under way is whole. @returns where what follows starts */
  #readPiece(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#body === undefined) at = this.#readHeader(chunk, at);
      if (this.#violation !== undefined) return chunk.length;
      if (this.#body === undefined) continue;
      at = this.#readBody(chunk, at);
      if (this.#bodyBytes < this.#bodySize) continue;
      const body = this.#body.subarray(0, this.#bodySize);
      const flags = this.#header[0] ?? 0;
      this.#headerBytes = 0;
      this.#body = undefined;
      if (flags & COMMAND) {
        this.#sink.onCommand(body);
        if (this.#isStopped || this.#frames.length === 0) return at;
        continue;
      }
      this.#frames.push(body);
      if (flags & MORE) continue;
      const message = this.#frames;
      this.#frames = [];
      this.#messageBytes = 0;
      this.#sink.onMessage(message);
      return at;
    }
    return at;
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
        this.#violation = { code: "PROTOCOL", detail: `a frame with the reserved flags ${header[0]}` };
        return at;
      }
      if ((header[0] ?? 0) & LONG) wanted = LONG_HEADER_BYTES;
    } while (this.#headerBytes < wanted && at < chunk.length);
    if (this.#headerBytes < wanted) return at;
    this.#beginBody(header[0] ?? 0, wanted === LONG_HEADER_BYTES ? readSize(header, 1) : (header[1] ?? 0));
    return at;
  }

  #beginBody(flags: number, size: number): void {
    this.#violation = this.#check(flags, size);
    if (this.#violation !== undefined) return;
    this.#body = Buffer.allocUnsafe(Math.min(size, FIRST_BODY_BYTES));
    this.#bodySize = size;
    this.#bodyBytes = 0;
  }

  #check(flags: number, size: number): Violation | undefined {
    if (flags & COMMAND) {
      if (flags & MORE) return { code: "PROTOCOL", detail: "a command that announces more" };
      if (size <= MAX_COMMAND_BYTES) return undefined;
      return { code: "FRAME_TOO_LARGE", detail: `a command of ${size} bytes; the bound is ${MAX_COMMAND_BYTES}` };
    }
    if (!this.#acceptsMessages) return { code: "PROTOCOL", detail: "a message before the handshake was over" };
    const { maxFrameBytes, maxMessageBytes, maxFrames } = this.#limits;
    if (size > maxFrameBytes) {
      return { code: "FRAME_TOO_LARGE", detail: `a frame of ${size} bytes; the bound is ${maxFrameBytes}` };
    }
    this.#messageBytes += size;
    if (this.#messageBytes > maxMessageBytes) {
      return { code: "MESSAGE_TOO_LARGE", detail: `a message of more than ${maxMessageBytes} bytes` };
    }
    if (this.#frames.length >= maxFrames) {
      return { code: "TOO_MANY_FRAMES", detail: `a message of more than ${maxFrames} frames` };
    }
    return undefined;
  }

  #readBody(chunk: Buffer, from: number): number {
    let body = this.#body;
    let at = from;
    while (body !== undefined && at < chunk.length && this.#bodyBytes < this.#bodySize) {
      if (this.#bodyBytes === body.length) {
        body = grown(body, this.#bodySize);
        this.#body = body;
      }
      const until = Math.min(chunk.length, at + body.length - this.#bodyBytes);
      chunk.copy(body, this.#bodyBytes, at, until);
      this.#bodyBytes += until - at;
      at = until;
    }
    return at;
  }
}

/**
 * A view costs more than all else that is done for a frame (as a Buffer, twice as much), and half of the frames of a request
 * and its reply are a tag, a digit or nothing: for these there is one view each, for good.
 */
const ONE_BYTE_FRAMES: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const EMPTY_FRAME: Uint8Array = new Uint8Array(0);

function tinyFrame(size: number, byte: number): Uint8Array {
  return size === 0 ? EMPTY_FRAME : (ONE_BYTE_FRAMES[byte] ?? EMPTY_FRAME);
}

/** Longer frames are hardly ever the same twice. */
const MAX_REPEATED_BYTES = 64;
const NO_FRAMES: readonly Uint8Array[] = [];

/**
 * Whether a frame has the bytes of the one in its place of the message before, which then serves for both: it spares a
 * view, and whoever reads it sees at once that it knows it. From the end: names that are counted differ there.
 */
function isRepeated(source: Buffer, before: number, now: number, size: number): boolean {
  if (size > MAX_REPEATED_BYTES) return false;
  for (let index = size - 1; index >= 0; index--) {
    if (source[before + index] !== source[now + index]) return false;
  }
  return true;
}

function grown(body: Buffer, size: number): Buffer {
  const larger = Buffer.allocUnsafe(Math.min(size, body.length * BODY_GROWTH));
  body.copy(larger);
  return larger;
}

/** Sizes beyond what a number can hold become a little inexact, and are over every bound. */
function readSize(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4);
}
