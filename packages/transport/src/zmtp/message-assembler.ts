// Frames to messages, within the bounds of a message. Commands may arrive between the frames of a message.

import type { LinkLimits } from "../link.ts";
import { COMMAND, MAX_COMMAND_BYTES, MORE, protocolViolation, type Violation } from "./wire.ts";

export type MessageLimits = Pick<LinkLimits, "maxFrameBytes" | "maxMessageBytes" | "maxFrames">;

export class MessageAssembler {
  readonly #limits: MessageLimits;
  /** The frames of the message in progress, and the bytes announced for it. */
  #frames: Uint8Array[] = [];
  #bytes = 0;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0;
  }

  /** Checks the next frame by its header. @returns why it is rejected */
  check(flags: number, size: number): Violation | undefined {
    if (flags & COMMAND) return checkCommand(flags, size);
    const { maxFrameBytes, maxMessageBytes, maxFrames } = this.#limits;
    if (size > maxFrameBytes) {
      return { code: "FRAME_TOO_LARGE", detail: `a frame of ${size} bytes; the bound is ${maxFrameBytes}` };
    }
    this.#bytes += size;
    if (this.#bytes > maxMessageBytes) {
      return { code: "MESSAGE_TOO_LARGE", detail: `a message of more than ${maxMessageBytes} bytes` };
    }
    if (this.#frames.length >= maxFrames) {
      return { code: "TOO_MANY_FRAMES", detail: `a message of more than ${maxFrames} frames` };
    }
    return undefined;
  }

  /** Adds a frame of a message. @returns the message with its last frame */
  add(flags: number, body: Uint8Array): readonly Uint8Array[] | undefined {
    this.#frames.push(body);
    if (flags & MORE) return undefined;
    const message = this.#frames;
    this.#frames = [];
    this.#bytes = 0;
    return message;
  }
}

/** Checks a command by its header. */
export function checkCommand(flags: number, size: number): Violation | undefined {
  if (flags & MORE) return protocolViolation("a command with the flag MORE");
  if (size <= MAX_COMMAND_BYTES) return undefined;
  return { code: "FRAME_TOO_LARGE", detail: `a command of ${size} bytes; the bound is ${MAX_COMMAND_BYTES}` };
}
