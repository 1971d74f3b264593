import { describe, expect, test } from "vitest";
import { intervalOf, learnRhythm, MAX_HEARTBEAT_MS, type Rhythm, UNKNOWN_RHYTHM } from "./liveness.ts";

const rhythm = (known: Partial<Rhythm>): Rhythm => ({ ...UNKNOWN_RHYTHM, ...known });

describe("the interval by which a peer is judged", () => {
  test("is ours until it is heard of", () => {
    expect(intervalOf(UNKNOWN_RHYTHM, 500)).toBe(500);
    expect(intervalOf(UNKNOWN_RHYTHM, 5_000)).toBe(5_000);
  });

  test("is the one that it announced, whatever it is seen to do", () => {
    expect(intervalOf(rhythm({ announcedMs: 4_000, seenMs: 9_000, hasBeaten: true }), 500)).toBe(4_000);
  });

  test("is the one it is seen to keep, where it announced none", () => {
    expect(intervalOf(rhythm({ seenMs: 9_000, hasBeaten: true }), 500)).toBe(9_000);
  });

  test("is the original's after a single heartbeat", () => {
    expect(intervalOf(rhythm({ hasBeaten: true }), 500)).toBe(2_500);
  });

  test("is never shorter than ours", () => {
    expect(intervalOf(rhythm({ announcedMs: 10 }), 500)).toBe(500);
    expect(intervalOf(rhythm({ seenMs: 10, hasBeaten: true }), 500)).toBe(500);
    expect(intervalOf(rhythm({ hasBeaten: true }), 5_000)).toBe(5_000);
  });

  test("is bounded, whatever is claimed or shown", () => {
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ seenMs: 1e9, hasBeaten: true }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 90_000)).toBe(90_000);
  });
});

describe("a heartbeat teaches", () => {
  test("that its sender sends them", () => {
    expect(learnRhythm(UNKNOWN_RHYTHM, undefined)).toStrictEqual(rhythm({ hasBeaten: true }));
  });

  test("the longest pause so far", () => {
    const pauses = [1_000, 3_000, 2_000];
    const learned = pauses.reduce(learnRhythm, rhythm({ hasBeaten: true }));
    expect(learned.seenMs).toBe(3_000);
  });

  test("nothing where it is as expected, so that nothing is made anew", () => {
    const known = rhythm({ seenMs: 3_000, hasBeaten: true });
    expect(learnRhythm(known, 3_000)).toBe(known);
    expect(learnRhythm(known, 10)).toBe(known);
    expect(learnRhythm(known, undefined)).toBe(known);
  });

  test("nothing against what was announced", () => {
    expect(learnRhythm(rhythm({ announcedMs: 1_000 }), 5_000).announcedMs).toBe(1_000);
  });
});
