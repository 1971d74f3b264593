import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("pauses double up to the longest, and start over after a success", () => {
  const backoff = new Backoff(100, 1_000, () => 0.999_999);
  const pauses = Array.from({ length: 6 }, () => Math.round(backoff.next()));
  expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  backoff.reset();
  expect(Math.round(backoff.next())).toBe(100);
});

test("jitter removes up to half of a pause", () => {
  expect(new Backoff(100, 1_000, () => 0).next()).toBe(50);
  expect(new Backoff(100, 1_000, () => 0.5).next()).toBe(75);
});

test("a pause never exceeds the longest, however many attempts fail", () => {
  const backoff = new Backoff(1, 5_000, () => 0.999_999);
  const pauses = Array.from({ length: 5_000 }, () => backoff.next());
  expect(Math.max(...pauses)).toBeLessThanOrEqual(5_000);
});
