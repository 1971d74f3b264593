// Frames to messages, within the bounds of a message. Commands may arrive between the frames of a message.
//
// If the link can report messages that are too large, such a message is read to its end. Of its frames only the small ones are
// kept, which show what it is about.

import type { LinkLimits, OversizedMessage } from "../link.ts";
import { SKIP } from "./frame-reader.ts";
import { COMMAND, MAX_COMMAND_BYTES, MAX_SHORT_SIZE, MORE, protocolViolation, type Violation } from "./wire.ts";

export interface MessageLimits extends Pick<LinkLimits, "maxFrameBytes" | "maxMessageBytes" | "maxFrames"> {
  /** Whether a message that is too large is reported. Otherwise it is a violation. */
  readonly skipsOversized?: boolean;
}

/** The most bytes of a message that are read to its end although it is too large. */
const MAX_SKIPPED_BYTES = 1024 * 1024 * 1024;
const NO_BODY: Uint8Array = new Uint8Array(0);

/** The memory of a frame besides its content. */
const FRAME_BYTES = 200;

export class MessageAssembler {
  readonly #limits: MessageLimits;
  /** The frames of the message in progress, and the bytes announced for it. */
  #frames: Uint8Array[] = [];
  #bytes = 0;
  /** By what the message in progress is too large. */
  #excess: Violation | undefined;
  #keptBytes = 0;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** The memory that the frames of the message in progress take. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Checks the next frame by its header. @returns why it is rejected, or that its body is not kept */
  check(flags: number, size: number): Violation | typeof SKIP | undefined {
    if (flags & COMMAND) return checkCommand(flags, size);
    const { maxFrames, skipsOversized = false } = this.#limits;
    this.#bytes += size;
    this.#excess ??= this.#excessOf(size);
    if (this.#excess !== undefined && (!skipsOversized || this.#bytes > MAX_SKIPPED_BYTES)) return this.#excess;
    if (this.#frames.length >= maxFrames) {
      return { code: "TOO_MANY_FRAMES", detail: `a message of more than ${maxFrames} frames` };
    }
    return this.#excess !== undefined && size > MAX_SHORT_SIZE ? SKIP : undefined;
  }

  /** Adds a frame of a message. @returns the message with its last frame */
  add(flags: number, body: Uint8Array): readonly Uint8Array[] | undefined {
    this.#frames.push(body);
    this.#keptBytes += body.length + FRAME_BYTES;
    if (flags & MORE) return undefined;
    const message = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    this.#keptBytes = 0;
    return message;
  }

  /** Whether the message that has just ended was too large. True once. */
  takeOversized(message: readonly Uint8Array[]): OversizedMessage | undefined {
    const excess = this.#excess;
    if (excess === undefined) return undefined;
    this.#excess = undefined;
    return { frames: message.map(smallOnly), detail: excess.detail };
  }

  #excessOf(size: number): Violation | undefined {
    const { maxFrameBytes, maxMessageBytes } = this.#limits;
    if (size > maxFrameBytes) {
      return { code: "FRAME_TOO_LARGE", detail: `a frame of ${size} bytes; the bound is ${maxFrameBytes}` };
    }
    if (this.#bytes <= maxMessageBytes) return undefined;
    // Frees what was kept of it.
    this.#frames = this.#frames.map(smallOnly);
    this.#keptBytes = this.#frames.reduce((sum, { length }) => sum + length + FRAME_BYTES, 0);
    return { code: "MESSAGE_TOO_LARGE", detail: `a message of more than ${maxMessageBytes} bytes` };
  }
}

function smallOnly(frame: Uint8Array): Uint8Array {
  return frame.length > MAX_SHORT_SIZE ? NO_BODY : frame;
}

/** Checks a command by its header. */
export function checkCommand(flags: number, size: number): Violation | undefined {
  if (flags & MORE) return protocolViolation("a command with the flag MORE");
  if (size <= MAX_COMMAND_BYTES) return undefined;
  return { code: "FRAME_TOO_LARGE", detail: `a command of ${size} bytes; the bound is ${MAX_COMMAND_BYTES}` };
}
