import { describe, expect, test } from "vitest";
import { NO_CAPABILITIES, offerOf, parseCapabilities } from "./capabilities.ts";
import { announcedBounds, boundsIn, DEFAULT_SIZE_BOUNDS, excessOf, lowerBoundsIn } from "./size-bounds.ts";

const MIB = 1024 * 1024;

describe("P-SIZE-1: the bounds of a peer", () => {
  test("are announced if they are not the default", () => {
    expect(announcedBounds(DEFAULT_SIZE_BOUNDS)).toEqual({});
    expect(announcedBounds({ maxFrameBytes: MIB, maxMessageBytes: 256 * MIB })).toEqual({ maxFrameBytes: MIB });
    const offer = offerOf("worker", announcedBounds({ maxFrameBytes: MIB, maxMessageBytes: 2 * MIB }));
    expect(boundsIn(offer)).toEqual({ maxFrameBytes: MIB, maxMessageBytes: 2 * MIB });
  });

  test.each([undefined, NO_CAPABILITIES, parseCapabilities("pigato/1 frame=0 message=much")])(
    "are the default without an announcement: %o",
    (announced) => {
      expect(boundsIn(announced)).toEqual(DEFAULT_SIZE_BOUNDS);
    },
  );
});

test("the bounds of a peer are lower than those of the sender only if one of them is", () => {
  const own = { maxFrameBytes: MIB, maxMessageBytes: 4 * MIB };
  const lower = (frame: number, message: number): unknown =>
    lowerBoundsIn({ ...NO_CAPABILITIES, maxFrameBytes: frame, maxMessageBytes: message }, own);
  expect(lower(MIB, 4 * MIB)).toBeUndefined();
  expect(lowerBoundsIn(NO_CAPABILITIES, own)).toBeUndefined();
  expect(lower(MIB - 1, 8 * MIB)).toEqual({ maxFrameBytes: MIB - 1, maxMessageBytes: 8 * MIB });
  expect(lower(2 * MIB, 4 * MIB - 1)).toEqual({ maxFrameBytes: 2 * MIB, maxMessageBytes: 4 * MIB - 1 });
});

describe("a message", () => {
  const bounds = { maxFrameBytes: 1_000, maxMessageBytes: 4_000 };
  const frame = (size: number): Uint8Array => new Uint8Array(size);

  test.each([
    [[1_000], 1_000],
    [[1_000, 1_000, 976], 0],
    [[], 0],
  ])("with the frames %o and %o is within the bounds", (body, options) => {
    expect(excessOf(bounds, body.map(frame), frame(options))).toBeUndefined();
  });

  test.each([
    [[1_001], 2, "a frame of 1001 bytes; the bound is 1000 (maxFrameBytes)"],
    [[2], 1_001, "a frame of 1001 bytes; the bound is 1000 (maxFrameBytes)"],
    [[1_000, 1_000, 900], 77, "a message of 2977 bytes and its envelope; the bound is 4000 (maxMessageBytes)"],
  ])("with the frames %o and %o is not", (body, options, excess) => {
    expect(excessOf(bounds, body.map(frame), frame(options))).toBe(excess);
  });
});
