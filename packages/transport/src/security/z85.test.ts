import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeZ85, encodeZ85 } from "./z85.ts";

test("text and bytes are those of the example in RFC 32", () => {
  const bytes = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(encodeZ85(bytes)).toBe("HelloWorld");
  expect(decodeZ85("HelloWorld")).toEqual(bytes);
});

test("whatever is written is read again", () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes, (key) => {
      expect(decodeZ85(encodeZ85(key))).toEqual(key);
    }),
    { ...(process.env.PIGATO_FUZZ_SEED && { seed: Number(process.env.PIGATO_FUZZ_SEED) }) },
  );
});

test.each([
  ["a part of a group", "Hell"],
  ["a character that is none of its digits", "Hell~"],
  ["a group above four bytes", "#####"],
])("%s is no such text", (_what, text) => {
  expect(decodeZ85(text)).toBeUndefined();
});
