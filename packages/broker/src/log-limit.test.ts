import { expect, test } from "vitest";
import { LogLimit } from "./log-limit.ts";

test("each kind has one line a minute, which counts those that were omitted before it", () => {
  let now = 0;
  const limit = new LogLimit({ now: () => now });
  const next = (kind: string) => limit.next(kind, 1);
  expect([next("a"), next("a"), next("a"), next("b")]).toEqual([0, undefined, undefined, 0]);
  now = 59_999;
  expect(next("a")).toBeUndefined();
  now = 60_000;
  expect([next("a"), next("a"), next("b")]).toEqual([3, undefined, 0]);
  now = 120_000;
  expect(next("a")).toBe(1);
});

test("a kind may have more lines a minute", () => {
  let now = 0;
  const limit = new LogLimit({ now: () => now });
  const nextFour = () => Array.from({ length: 4 }, () => limit.next("a", 3));
  expect(nextFour()).toEqual([0, 0, 0, undefined]);
  now = 60_000;
  expect(nextFour()).toEqual([1, 0, 0, undefined]);
});

test("a clock that is no number does not lift the limit", () => {
  const limit = new LogLimit({ now: () => Number.NaN });
  expect([limit.next("a", 1), limit.next("a", 1)]).toEqual([0, undefined]);
});
