import { expect, test } from "vitest";
import { LogLimit } from "./log-limit.ts";

test("each kind has one line a minute, which counts those that were omitted before it", () => {
  let now = 0;
  const limit = new LogLimit({ now: () => now });
  expect([limit.next("a"), limit.next("a"), limit.next("a"), limit.next("b")]).toEqual([0, undefined, undefined, 0]);
  now = 59_999;
  expect(limit.next("a")).toBeUndefined();
  now = 60_000;
  expect([limit.next("a"), limit.next("a"), limit.next("b")]).toEqual([3, undefined, 0]);
  now = 120_000;
  expect(limit.next("a")).toBe(1);
});
