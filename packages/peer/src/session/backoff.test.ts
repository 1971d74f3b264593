import { expect, test } from "vitest";
import { pauseBefore } from "./backoff.ts";

const BACKOFF = { firstMs: 100, maxMs: 1_500 };

test("pauses double from the first to the longest", () => {
  const pauses = [1, 2, 3, 4, 5, 6, 7].map((attempt) => pauseBefore(attempt, BACKOFF, 0));
  expect(pauses).toEqual([100, 200, 400, 800, 1_500, 1_500, 1_500]);
});

test("jitter removes at most half of a pause", () => {
  expect(pauseBefore(3, BACKOFF, 0.5)).toBe(300);
  expect(pauseBefore(3, BACKOFF, 0.999_999)).toBeGreaterThan(200);
  expect(pauseBefore(10, BACKOFF, 0.5)).toBe(1_125);
});

test("a first pause longer than the longest pause applies", () => {
  expect([1, 2, 3].map((attempt) => pauseBefore(attempt, { firstMs: 500, maxMs: 100 }, 0))).toEqual([500, 500, 500]);
});

test("pauses stay finite after any number of attempts", () => {
  expect(pauseBefore(1_000_000, BACKOFF, 0)).toBe(1_500);
  expect(pauseBefore(1_000_000, { firstMs: 1, maxMs: Number.MAX_SAFE_INTEGER }, 0)).toBe(2 ** 30);
});
