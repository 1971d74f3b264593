import { expect, test } from "vitest";
import { MAX_PREFIX_BYTES, MAX_PREFIXES, Prefixes } from "./prefixes.ts";

test("a prefix counts once, however often it is added", () => {
  const prefixes = new Prefixes();
  expect([prefixes.add("state"), prefixes.add("state"), prefixes.add("")]).toEqual([true, false, true]);
  expect([...prefixes]).toEqual(["state", ""]);
});

test.each([["x".repeat(MAX_PREFIX_BYTES + 1)], ["größe 🚀"]])("%s is not a prefix", (prefix) => {
  expect(() => new Prefixes().add(prefix)).toThrow(RangeError);
});

test("a subscriber has no more prefixes than a publisher accepts", () => {
  const prefixes = new Prefixes();
  for (let number = 0; number < MAX_PREFIXES; number++) prefixes.add(`${number}`);
  expect(() => prefixes.add("one more")).toThrow(RangeError);
  expect(prefixes.add("0")).toBe(false);
});
