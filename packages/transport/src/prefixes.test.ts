import { expect, test } from "vitest";
import { MAX_PREFIX_BYTES, MAX_PREFIXES, Prefixes } from "./prefixes.ts";

test("a prefix is wanted once, however often it is asked for", () => {
  const prefixes = new Prefixes();
  expect([prefixes.add("state"), prefixes.add("state"), prefixes.add("")]).toEqual([true, false, true]);
  expect([...prefixes]).toEqual(["state", ""]);
});

test.each([["x".repeat(MAX_PREFIX_BYTES + 1)], ["größe 🚀"]])("%s is no prefix", (prefix) => {
  expect(() => new Prefixes().add(prefix)).toThrow(RangeError);
});

test("there are no more of them than a publisher takes", () => {
  const prefixes = new Prefixes();
  for (let number = 0; number < MAX_PREFIXES; number++) prefixes.add(`${number}`);
  expect(() => prefixes.add("one more")).toThrow(RangeError);
  expect(prefixes.add("0")).toBe(false);
});
