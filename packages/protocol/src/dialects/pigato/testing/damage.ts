// Ways to damage a valid message: cut, pad, reorder and overwrite its frames, or send it to the wrong end.

import fc from "fast-check";
import { MAX_OFFER_BYTES } from "../../../capabilities.ts";
import type { Frame, Frames } from "../../../frame.ts";
import { MAX_NAME_BYTES, writeText } from "../../../ids.ts";
import { MAX_OPTIONS_BYTES } from "../../../request-options.ts";
import { someFrame } from "./messages.ts";

export type Damage = (frames: Frames) => Frames;

function damage<Value>(
  some: fc.Arbitrary<Value>,
  apply: (frames: Frames, value: Value) => Frames,
): fc.Arbitrary<Damage> {
  return some.map((value) => (frames: Frames) => apply(frames, value));
}

function replaced(frames: Frames, index: number, frame: Frame): Frames {
  return frames.length === 0 ? [frame] : frames.toSpliced(index % frames.length, 1, frame);
}

/** Frames of the given lengths: a bound, or one byte more. */
function longFrames(...lengths: readonly number[]): fc.Arbitrary<Frame> {
  return fc.constantFrom(...lengths.map((length) => new Uint8Array(length).fill(0x20)));
}

const someIndex = fc.nat({ max: 7 });
const someLongFrame = fc.oneof(
  longFrames(MAX_OPTIONS_BYTES, MAX_OPTIONS_BYTES + 1),
  longFrames(MAX_NAME_BYTES, MAX_NAME_BYTES + 1),
  longFrames(MAX_OFFER_BYTES, MAX_OFFER_BYTES + 1),
);

const truncation = damage(fc.integer({ min: 1, max: 4 }), (frames, lost) => frames.slice(0, -lost));
const removal = damage(someIndex, (frames, index) => frames.toSpliced(index, 1));
const insertion = damage(fc.tuple(someIndex, someFrame), (frames, [index, frame]) => frames.toSpliced(index, 0, frame));
const replacement = damage(fc.tuple(someIndex, someFrame), (frames, [index, frame]) => replaced(frames, index, frame));
const growth = damage(fc.tuple(fc.constantFrom(2, 3, 4, 5, 5), someLongFrame), (frames, [index, frame]) =>
  replaced(frames, index, frame),
);
const growthOfLast = damage(someLongFrame, (frames, frame) => replaced(frames, frames.length - 1, frame));
const padding = damage(fc.integer({ min: 50, max: 90 }), (frames, length) => [
  ...frames,
  ...Array.from({ length }, () => writeText("")),
]);
const otherType = damage(fc.nat({ max: 14 }), (frames, type) => frames.toSpliced(1, 1, writeText(String(type))));
const otherTag = damage(fc.constantFrom("C", "W", ""), (frames, tag) => frames.toSpliced(0, 1, writeText(tag)));
const swap = damage(someIndex, (frames, index) => {
  const [frame, next] = frames.slice(index);
  return frame && next ? frames.toSpliced(index, 2, next, frame) : frames;
});
const otherByte = damage(fc.tuple(someIndex, fc.nat(), fc.nat({ max: 255 })), (frames, [index, position, byte]) => {
  const frame = Uint8Array.from(frames[index] ?? []);
  if (frame.length > 0) frame[position % frame.length] = byte;
  return replaced(frames, index, frame);
});

/** Half of them change what decoders check: the length and the number of frames. */
export const someDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.oneof(truncation, growth, growthOfLast),
  fc.oneof(removal, insertion, replacement, padding, otherType, otherTag, swap, otherByte),
);
