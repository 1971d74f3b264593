import { expect, test } from "vitest";
import { sameBytes } from "./frame.ts";
import { writeBytes } from "./ids.ts";

test("frames are the same only byte for byte", () => {
  expect(sameBytes(writeBytes("abc"), writeBytes("abc"))).toBe(true);
  expect(sameBytes(writeBytes(""), writeBytes(""))).toBe(true);
  for (const other of ["", "ab", "abd", "abcd", "xbc"]) {
    expect(sameBytes(writeBytes("abc"), writeBytes(other))).toBe(false);
  }
});
