// Bytes to messages and commands after the handshake. HOT: every byte received passes here. The benchmark is
// apps/bench/src/transport.ts; change nothing here without it.
//
// There are two ways. Messages that lie whole in one chunk are found by their headers alone and become views: of the chunk
// itself, or, if the caller reuses it or it is so large that a small frame would keep it all alive, of a copy of up to 8 KiB
// with many messages in it. Messages that a chunk boundary cuts, and all messages of a mechanism that protects frames, pass
// through a `FrameReader` and a `MessageAssembler`.
//
// The same bytes give the same messages and then, at most once, the same violation, however they are split.

import type { OversizedMessage } from "../link.ts";
import { FrameReader, type FrameSink, SKIP } from "./frame-reader.ts";
import type { FrameProtection } from "./mechanism/mechanism.ts";
import { MessageAssembler, type MessageLimits } from "./message-assembler.ts";
import {
  ALL_FLAGS,
  COMMAND,
  LONG,
  LONG_HEADER_BYTES,
  MAX_COMMAND_BYTES,
  MORE,
  readLongSize,
  SHORT_HEADER_BYTES,
  type Violation,
} from "./wire.ts";

/** Messages up to this size share their memory with others. A frame that is kept keeps at most twice as much alive. */
const REGION_BYTES = 8 * 1024;

const NO_BODY = Buffer.alloc(0);

/** Receives what a chunk contains. It may call `stop`. */
export interface MessageSink {
  onMessage(frames: readonly Uint8Array[]): void;
  /** Required with the limit `skipsOversized`. */
  onOversized?(message: OversizedMessage): void;
  /** @param body is reused after the call */
  onCommand(body: Buffer): void;
}

export class MessageReader implements FrameSink {
  readonly #limits: MessageLimits;
  readonly #sink: MessageSink;
  readonly #protection: FrameProtection | undefined;
  readonly #frameReader = new FrameReader(this);
  readonly #assembler: MessageAssembler;
  /** Where the frames of the previous message lie. */
  readonly #bodies: number[] = [];
  /** The whole frames of the message in progress, kept or not. */
  #wholeFrameBytes = 0;
  #isStopped = false;
  #isPaused = false;
  /** What was not read of the last chunk, because of a pause. */
  #unread: Buffer | undefined;
  #violation: Violation | undefined;

  constructor(limits: MessageLimits, sink: MessageSink, protection?: FrameProtection) {
    this.#limits = limits;
    this.#sink = sink;
    this.#protection = protection;
    this.#assembler = new MessageAssembler(limits);
  }

  /** What has arrived of the message in progress; between messages, of a command. A command is no progress of a message. */
  get unfinishedBytes(): number {
    if (this.#wholeFrameBytes > 0 && this.isWithinCommand) return this.#wholeFrameBytes;
    return this.#wholeFrameBytes + this.#frameReader.receivedBytes;
  }

  /** The memory that it takes. */
  get keptBytes(): number {
    return this.#assembler.keptBytes + this.#frameReader.keptBytes;
  }

  /** Whether a part of a command has arrived. */
  get isWithinCommand(): boolean {
    return this.#frameReader.isWithinCommand;
  }

  /** Delivers nothing more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Reads no further than the end of the present message. The caller takes the rest of the chunk, and passes it on later. */
  pause(): void {
    this.#isPaused = true;
  }

  takeUnread(): Buffer | undefined {
    const unread = this.#unread;
    this.#unread = undefined;
    return unread;
  }

  /**
   * Reads a chunk from the byte `from` on.
   * @param isOurs the caller does not reuse the chunk
   * @returns what is wrong with the bytes; nothing after it is read
   */
  read(chunk: Buffer, from: number, isOurs: boolean): Violation | undefined {
    let at = from;
    this.#isPaused = false;
    if (this.#protection !== undefined) at = this.#readProtected(chunk, at);
    else if (this.#isWithinMessage) at = this.#readCut(chunk, at);
    while (at < chunk.length && !this.#isStopped && !this.#isPaused && this.#violation === undefined) {
      const end = this.#findWhole(chunk, at);
      at = end > at ? this.#deliverWhole(chunk, at, end, isOurs) : this.#readCut(chunk, at);
    }
    if (this.#isPaused && at < chunk.length)
      this.#unread = isOurs ? chunk.subarray(at) : Buffer.from(chunk.subarray(at));
    return this.#violation;
  }

  /** Where the next bytes belong, if they are many bytes of one frame: the caller may read into it, and then calls `filled`. */
  get target(): Buffer | undefined {
    return this.#protection === undefined && !this.#isStopped ? this.#frameReader.target : undefined;
  }

  takeHasReadLarge(): boolean {
    return this.#frameReader.takeHasReadLarge();
  }

  /** So many bytes were read into `target`. @returns what is wrong with the bytes */
  filled(bytes: number): Violation | undefined {
    this.#isPaused = false;
    this.#frameReader.filled(bytes);
    return this.#violation;
  }

  onHeader(flags: number, size: number): Violation | typeof SKIP | undefined {
    if (this.#protection === undefined) return this.#assembler.check(flags, size);
    const bound = this.#limits.maxFrameBytes + this.#protection.overheadBytes;
    if (size <= bound) return undefined;
    return { code: "FRAME_TOO_LARGE", detail: `a sealed frame of ${size} bytes; the bound is ${bound}` };
  }

  onFrame(flags: number, body: Buffer): void {
    if (this.#protection === undefined) return this.#deliver(flags, body);
    const opened = this.#protection.open(body);
    if ("code" in opened) {
      this.#violation = opened;
      return;
    }
    const verdict = this.#assembler.check(opened.flags, opened.body.length);
    if (verdict === undefined || verdict === SKIP)
      this.#deliver(opened.flags, verdict === SKIP ? NO_BODY : opened.body);
    else this.#violation = verdict;
  }

  #deliver(flags: number, body: Buffer): void {
    if (flags & COMMAND) return this.#sink.onCommand(body);
    this.#wholeFrameBytes += LONG_HEADER_BYTES + this.#frameReader.bodySize;
    const message = this.#assembler.add(flags, body);
    if (message === undefined) return;
    this.#wholeFrameBytes = 0;
    const oversized = this.#assembler.takeOversized(message);
    if (oversized === undefined) this.#sink.onMessage(message);
    else this.#sink.onOversized?.(oversized);
  }

  get #isWithinMessage(): boolean {
    return this.#frameReader.isWithinFrame || !this.#assembler.isEmpty;
  }

  /** Reads to the end of the message or command in progress. @returns where it stopped */
  #readCut(chunk: Buffer, from: number): number {
    let at = from;
    do {
      at = this.#frameReader.read(chunk, at);
      this.#violation = this.#frameReader.violation;
    } while (at < chunk.length && !this.#isStopped && this.#isWithinMessage);
    return at;
  }

  /** @returns where it stopped */
  #readProtected(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length && !this.#isStopped && !this.#isPaused && this.#violation === undefined) {
      at = this.#frameReader.read(chunk, at);
      this.#violation ??= this.#frameReader.violation;
    }
    return at;
  }

  /**
   * Finds the end of the last whole message within a region or, if there is none so small, in the chunk. Stops before anything
   * that is cut or invalid; `#readCut` handles that.
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
        size = readLongSize(chunk, at + 1);
        next = at + LONG_HEADER_BYTES + size;
      }
      if (next > chunk.length || flags > ALL_FLAGS) break;
      if (flags & COMMAND) {
        if (size > MAX_COMMAND_BYTES || flags & MORE) break;
      } else {
        frames += 1;
        bytes += size;
        if (size > maxFrameBytes || bytes > maxMessageBytes || frames > maxFrames) break;
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

  /** @returns where it stopped */
  #deliverWhole(chunk: Buffer, start: number, end: number, isOurs: boolean): number {
    let source = chunk;
    let at = start;
    let until = end;
    // By reference, if the chunk is small, or these messages are a good part of it.
    if (!isOurs || (chunk.length > 2 * REGION_BYTES && end - start <= REGION_BYTES)) {
      until = end - start;
      source = Buffer.allocUnsafe(until);
      chunk.copy(source, 0, start, end);
      at = 0;
    }
    const { buffer: memory, byteOffset } = source;
    const bodies = this.#bodies;
    let previous: readonly Uint8Array[] = NO_FRAMES;
    // A copy of the previous message, to be overwritten, is created faster than an array that grows.
    let frames: Uint8Array[] = [];
    let count = 0;
    while (at < until) {
      const flags = source[at] ?? 0;
      const body = at + (flags & LONG ? LONG_HEADER_BYTES : SHORT_HEADER_BYTES);
      const next = body + (flags & LONG ? readLongSize(source, at + 1) : (source[at + 1] ?? 0));
      const size = next - body;
      at = next;
      if (flags & COMMAND) {
        this.#sink.onCommand(source.subarray(body, next));
      } else {
        if (count >= frames.length) {
          frames.push(size <= 1 ? tinyFrame(size, source[body] ?? 0) : new Uint8Array(memory, byteOffset + body, size));
        } else if (size <= 1) {
          frames[count] = tinyFrame(size, source[body] ?? 0);
        } else if (previous[count]?.length !== size || !isRepeated(source, bodies[count] ?? 0, body, size)) {
          frames[count] = new Uint8Array(memory, byteOffset + body, size);
        }
        bodies[count] = body;
        count += 1;
        if (flags & MORE) continue;
        if (count < frames.length) frames.length = count;
        previous = frames;
        frames = previous.slice();
        count = 0;
        this.#sink.onMessage(previous);
      }
      if (this.#isStopped || this.#isPaused) break;
    }
    return end - (until - at);
  }
}

/**
 * Creating a view costs more than all else for a frame (as a Buffer, twice as much), and half of the frames of a request and its
 * reply are a tag, a digit or empty. These share one view each.
 */
const ONE_BYTE_FRAMES: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const EMPTY_FRAME: Uint8Array = new Uint8Array(0);

function tinyFrame(size: number, byte: number): Uint8Array {
  return size === 0 ? EMPTY_FRAME : (ONE_BYTE_FRAMES[byte] ?? EMPTY_FRAME);
}

/** Longer frames hardly ever repeat. */
const MAX_REPEATED_BYTES = 64;
const NO_FRAMES: readonly Uint8Array[] = [];

/**
 * Whether a frame equals the frame at the same index of the previous message. Then one view serves for both, and its reader can
 * recognize it by identity. Compares from the end, where numbered names differ.
 */
function isRepeated(source: Buffer, previous: number, current: number, size: number): boolean {
  if (size > MAX_REPEATED_BYTES) return false;
  for (let index = size - 1; index >= 0; index--) {
    if (source[previous + index] !== source[current + index]) return false;
  }
  return true;
}
