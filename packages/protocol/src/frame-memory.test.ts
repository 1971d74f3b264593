import { expect, test } from "vitest";
import type { Frame } from "./frame.ts";
import { costOfFrames, ownFrames } from "./frame-memory.ts";

/** A frame that is a view of a larger buffer. */
function viewOf(buffer: ArrayBuffer, start: number, size: number): Frame {
  const view = new Uint8Array(buffer, start, size);
  return view.fill(size % 256);
}

test("a frame counts as its bytes and its objects", () => {
  expect(costOfFrames([])).toBe(0);
  expect(costOfFrames([new Uint8Array(1_000), new Uint8Array(0)])).toBe(1_000 + 2 * 128);
});

test.each([0, 1, 64, 65, 1_000, 9_000])(
  "a frame of %i bytes and its neighbors are copied out of a large buffer",
  (size) => {
    const buffer = new ArrayBuffer(64 * 1024);
    const frames = [viewOf(buffer, 0, size), viewOf(buffer, size, 20), viewOf(buffer, 10_000, 500)];
    const own = ownFrames(frames);
    expect(own).toEqual(frames.map((frame) => new Uint8Array(frame)));
    let held = 0;
    for (const memory of new Set(own.map((frame) => frame.buffer))) held += memory.byteLength;
    expect(held).toBe(size + 20 + 500);
  },
);

test("frames that are most of their buffer are not copied", () => {
  const whole = new Uint8Array(1_000);
  const most = viewOf(new ArrayBuffer(9_000), 0, 8_000);
  const less = viewOf(new ArrayBuffer(9_000), 0, 7_900);
  const own = ownFrames([whole, most, less]);
  expect(own[0]).toBe(whole);
  expect(own[1]).toBe(most);
  expect(own[2]?.buffer.byteLength).toBe(7_900);
});
