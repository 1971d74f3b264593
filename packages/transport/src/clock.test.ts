import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

// In place of the originals, what is a fake here.
vi.mock("./timers.ts", () => ({
  setTimeout: (callback: () => void, ms: number) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer: NodeJS.Timeout | undefined) => globalThis.clearTimeout(timer),
  monotonicNow: () => performance.now(),
}));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** An alarm, and the times at which it rang, relative to now. */
function newAlarm() {
  const start = systemClock.now();
  const rings: number[] = [];
  const alarm = systemClock.alarm(() => rings.push(systemClock.now() - start));
  return { rings, ringAfter: (ms: number) => alarm.set(start + ms), forget: () => alarm.set(undefined) };
}

test("now() advances with the process's clock", () => {
  const before = systemClock.now();
  vi.advanceTimersByTime(250);
  expect(systemClock.now() - before).toBe(250);
});

test("an alarm rings once, at its time", () => {
  const { rings, ringAfter } = newAlarm();
  ringAfter(100);
  vi.advanceTimersByTime(99);
  expect(rings).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(rings).toEqual([100]);
});

test("an alarm set to the past rings as soon as possible, but not within set()", () => {
  const { rings, ringAfter } = newAlarm();
  ringAfter(-10);
  expect(rings).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(rings).toHaveLength(1);
});

test("an alarm that moves to an earlier time rings only then", () => {
  const { rings, ringAfter } = newAlarm();
  ringAfter(500);
  ringAfter(50);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([50]);
});

test("an alarm that moves to a later time rings only then", () => {
  const { rings, ringAfter } = newAlarm();
  ringAfter(50);
  vi.advanceTimersByTime(40);
  ringAfter(200);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([200]);
});

test("an alarm that moves to a later time creates no timer until the old one fires", () => {
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  const { ringAfter } = newAlarm();
  ringAfter(50);
  for (let ms = 51; ms < 100; ms++) ringAfter(ms);
  expect(setTimer).toHaveBeenCalledTimes(1);
});

test("an alarm that is canceled does not ring and holds no timer", () => {
  const { rings, ringAfter, forget } = newAlarm();
  ringAfter(50);
  forget();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([]);
});

test("an alarm that moved to a later time and was canceled holds no timer", () => {
  const { rings, ringAfter, forget } = newAlarm();
  ringAfter(50);
  ringAfter(100);
  forget();
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("an alarm can be set again after it rang, also within ring()", () => {
  const start = systemClock.now();
  const rings: number[] = [];
  const alarm = systemClock.alarm(() => {
    rings.push(systemClock.now() - start);
    if (rings.length < 3) alarm.set(systemClock.now() + 10);
  });
  alarm.set(start + 10);
  vi.advanceTimersByTime(1_000);
  expect(rings).toEqual([10, 20, 30]);
});

test("an alarm beyond the longest timer rings at its time", () => {
  const { rings, ringAfter } = newAlarm();
  const monthMs = 31 * 24 * 3_600_000;
  ringAfter(monthMs);
  vi.advanceTimersByTime(monthMs - 1);
  expect(rings).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(rings).toEqual([monthMs]);
});

test("an alarm set to Infinity never rings", () => {
  const { rings, ringAfter } = newAlarm();
  ringAfter(Number.POSITIVE_INFINITY);
  expect(vi.getTimerCount()).toBe(0);
  expect(rings).toEqual([]);
});
