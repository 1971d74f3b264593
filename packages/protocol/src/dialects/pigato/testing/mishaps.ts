// What can befall an honest message on its way to us: it is cut, padded, reordered, overwritten, sent to the wrong end.

import fc from "fast-check";
import { MAX_OFFER_BYTES } from "../../../capabilities.ts";
import type { Frame, Frames } from "../../../frame.ts";
import { MAX_NAME_BYTES, writeText } from "../../../ids.ts";
import { MAX_OPTIONS_BYTES } from "../../../request-options.ts";
import { someFrame } from "./messages.ts";

export type Mishap = (frames: Frames) => Frames;

function mishap<Value>(
  some: fc.Arbitrary<Value>,
  befall: (frames: Frames, value: Value) => Frames,
): fc.Arbitrary<Mishap> {
  return some.map((value) => (frames: Frames) => befall(frames, value));
}

function replaced(frames: Frames, index: number, frame: Frame): Frames {
  return frames.length === 0 ? [frame] : frames.toSpliced(index % frames.length, 1, frame);
}

/** Frames as long as a bound, or one byte longer. */
function longFrames(...lengths: readonly number[]): fc.Arbitrary<Frame> {
  return fc.constantFrom(...lengths.map((length) => new Uint8Array(length).fill(0x20)));
}

const someIndex = fc.nat({ max: 7 });
const someLongFrame = fc.oneof(
  longFrames(MAX_OPTIONS_BYTES, MAX_OPTIONS_BYTES + 1),
  longFrames(MAX_NAME_BYTES, MAX_NAME_BYTES + 1),
  longFrames(MAX_OFFER_BYTES, MAX_OFFER_BYTES + 1),
);

const truncation = mishap(fc.integer({ min: 1, max: 4 }), (frames, lost) => frames.slice(0, -lost));
const removal = mishap(someIndex, (frames, index) => frames.toSpliced(index, 1));
const insertion = mishap(fc.tuple(someIndex, someFrame), (frames, [index, frame]) => frames.toSpliced(index, 0, frame));
const replacement = mishap(fc.tuple(someIndex, someFrame), (frames, [index, frame]) => replaced(frames, index, frame));
const growth = mishap(fc.tuple(fc.constantFrom(2, 3, 4, 5, 5), someLongFrame), (frames, [index, frame]) =>
  replaced(frames, index, frame),
);
const growthOfLast = mishap(someLongFrame, (frames, frame) => replaced(frames, frames.length - 1, frame));
const padding = mishap(fc.integer({ min: 50, max: 90 }), (frames, length) => [
  ...frames,
  ...Array.from({ length }, () => writeText("")),
]);
const otherType = mishap(fc.nat({ max: 14 }), (frames, type) => frames.toSpliced(1, 1, writeText(String(type))));
const otherTag = mishap(fc.constantFrom("C", "W", ""), (frames, tag) => frames.toSpliced(0, 1, writeText(tag)));
const swap = mishap(someIndex, (frames, index) => {
  const [frame, next] = frames.slice(index);
  return frame && next ? frames.toSpliced(index, 2, next, frame) : frames;
});
const otherByte = mishap(fc.tuple(someIndex, fc.nat(), fc.nat({ max: 255 })), (frames, [index, position, byte]) => {
  const frame = Uint8Array.from(frames[index] ?? []);
  if (frame.length > 0) frame[position % frame.length] = byte;
  return replaced(frames, index, frame);
});

/** Half of them go for what decoders are strict about: length and number of frames. */
export const someMishap: fc.Arbitrary<Mishap> = fc.oneof(
  fc.oneof(truncation, growth, growthOfLast),
  fc.oneof(removal, insertion, replacement, padding, otherType, otherTag, swap, otherByte),
);
