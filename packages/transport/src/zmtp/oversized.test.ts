// Messages that are too large, and that a link reports instead of ending the connection.

import { describe, expect, test } from "vitest";
import type { OversizedMessage } from "../link.ts";
import { MessageReader } from "./message-reader.ts";
import { encoded } from "./testing/encoded.ts";
import { LONG, MORE } from "./wire.ts";

const LIMITS = { maxFrameBytes: 1_000, maxMessageBytes: 3_000, maxFrames: 12, skipsOversized: true };

const SMALL = ["W", "3", "~1", "", "r1"];

/** What a reader reports of bytes that arrive in these pieces. */
function read(chunks: readonly Buffer[], limits = LIMITS): readonly unknown[] {
  const seen: unknown[] = [];
  const reader = new MessageReader(limits, {
    onMessage: (frames) => seen.push(shown(frames)),
    onOversized: ({ frames, detail }: OversizedMessage) => seen.push({ detail, frames: shown(frames) }),
    onCommand: () => seen.push("command"),
  });
  for (const chunk of chunks) {
    const violation = reader.read(chunk, 0, false);
    if (violation === undefined) continue;
    seen.push(violation.code);
    break;
  }
  return seen;
}

function shown(frames: readonly Uint8Array[]): string {
  return frames.map((frame) => (frame.length > 20 ? `${frame.length} bytes` : Buffer.from(frame).toString())).join();
}

/** The bytes cut at one place, at every place, and in pieces of one size. */
function cuts(bytes: Buffer): readonly (readonly Buffer[])[] {
  const everywhere = Array.from({ length: bytes.length }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  const sizes = [1, 7, 500, bytes.length];
  const pieces = sizes.map((size) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    ),
  );
  return [...everywhere, ...pieces];
}

describe("a message that is too large", () => {
  test.each([
    {
      what: "one frame",
      message: [...SMALL, Buffer.alloc(1_001), "{}"],
      oversized: { detail: "a frame of 1001 bytes; the bound is 1000", frames: "W,3,~1,,r1,,{}" },
    },
    {
      what: "all frames together",
      message: [...SMALL, Buffer.alloc(900), Buffer.alloc(900), Buffer.alloc(900), Buffer.alloc(301), "x".repeat(255)],
      oversized: { detail: "a message of more than 3000 bytes", frames: "W,3,~1,,r1,,,,,255 bytes" },
    },
    {
      what: "the first frame",
      message: [Buffer.alloc(50_000), "end"],
      oversized: { detail: "a frame of 50000 bytes; the bound is 1000", frames: ",end" },
    },
  ])("by $what is reported without its large frames, however its bytes are split", ({ message, oversized }) => {
    const before = ["C", "4"];
    const after = ["C", "2", Buffer.alloc(1_000)];
    const bytes = encoded([before, message, after, before]);
    for (const chunks of cuts(bytes)) expect(read(chunks)).toEqual(["C,4", oversized, "C,2,1000 bytes", "C,4"]);
  });

  test("ends its connection if the link does not report it", () => {
    const bytes = encoded([
      ["C", "4"],
      [...SMALL, Buffer.alloc(1_001)],
      ["C", "4"],
    ]);
    for (const chunks of cuts(bytes)) {
      expect(read(chunks, { ...LIMITS, skipsOversized: false })).toEqual(["C,4", "FRAME_TOO_LARGE"]);
    }
  });

  test("ends its connection if more than 1 GiB would have to be skipped", () => {
    const header = Buffer.from([LONG | MORE, 0, 0, 0, 0, 0x40, 0, 0, 1]);
    expect(read([header])).toEqual(["FRAME_TOO_LARGE"]);
    const half = Buffer.from([LONG | MORE, 0, 0, 0, 0, 0x20, 0, 0, 1]);
    const body = Buffer.alloc(0x2000_0001);
    expect(read([half, body, half])).toEqual(["FRAME_TOO_LARGE"]);
  });

  test("ends its connection if it has too many frames", () => {
    const message = [Buffer.alloc(1_001), ...Array.from({ length: 12 }, () => "x")];
    expect(read([encoded([message])])).toEqual(["TOO_MANY_FRAMES"]);
  });
});
