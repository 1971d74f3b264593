import { expect, test } from "vitest";
import { bytesOf, sameBytes } from "./frame.ts";
import { writeBytes } from "./ids.ts";

test("frames are equal only if all bytes are equal", () => {
  expect(sameBytes(writeBytes("abc"), writeBytes("abc"))).toBe(true);
  expect(sameBytes(writeBytes(""), writeBytes(""))).toBe(true);
  for (const other of ["", "ab", "abd", "abcd", "xbc"]) {
    expect(sameBytes(writeBytes("abc"), writeBytes(other))).toBe(false);
  }
});

test.each([
  [[], 0],
  [[""], 0],
  [["abc"], 3],
  [["abc", "", "\u00ff"], 4],
] as const)("the bytes of %j are %d", (frames, bytes) => {
  expect(bytesOf(frames.map(writeBytes))).toBe(bytes);
});
