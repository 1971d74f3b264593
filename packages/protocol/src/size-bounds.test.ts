import { describe, expect, test } from "vitest";
import { NO_CAPABILITIES, offerOf, parseCapabilities } from "./capabilities.ts";
import { announcedBounds, boundsIn, DEFAULT_SIZE_BOUNDS, excessOf } from "./size-bounds.ts";

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
