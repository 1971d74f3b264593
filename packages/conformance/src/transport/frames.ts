// Messages in the notation of the tests.

import type { Frames } from "@pigato/transport";

/** A message of text frames. */
export function message(...texts: string[]): Frames {
  return texts.map((text) => Buffer.from(text));
}

/** The frames of a message as text. */
export function texts(frames: Frames): string[] {
  return frames.map((frame) => Buffer.from(frame).toString());
}

/** A message that starts with a number, followed by `bytes` bytes. */
export function numbered(number: number, padding: Uint8Array = Buffer.alloc(0)): Frames {
  return [Buffer.from(String(number)), padding];
}

/** The number at the start of a message. */
export function numberOf(frames: Frames): number {
  return Number(Buffer.from(frames[0] ?? []).toString());
}

/** 0, 1, 2, … up to `count` of them. */
export function firstNumbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
