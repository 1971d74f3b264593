import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeZ85, encodeZ85 } from "./z85.ts";

test("the example of RFC 32 is encoded and decoded", () => {
  const bytes = Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b);
  expect(encodeZ85(bytes)).toBe("HelloWorld");
  expect(decodeZ85("HelloWorld")).toEqual(bytes);
});

test("decoding inverts encoding", () => {
  const bytes = fc.uint8Array({ minLength: 32, maxLength: 32 });
  fc.assert(
    fc.property(bytes, (key) => {
      expect(decodeZ85(encodeZ85(key))).toEqual(key);
    }),
    { ...(process.env.PIGATO_FUZZ_SEED && { seed: Number(process.env.PIGATO_FUZZ_SEED) }) },
  );
});

test.each([
  ["an incomplete group", "Hell"],
  ["a character that is not a digit", "Hell~"],
  ["a group above four bytes", "#####"],
])("%s is not Z85", (_what, text) => {
  expect(decodeZ85(text)).toBeUndefined();
});
