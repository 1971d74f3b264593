import { describe, expect, test } from "vitest";
import { intervalOf, learnRhythm, MAX_HEARTBEAT_MS, type Rhythm, UNKNOWN_RHYTHM } from "./liveness.ts";

const rhythm = (known: Partial<Rhythm>): Rhythm => ({ ...UNKNOWN_RHYTHM, ...known });

describe("the interval of a peer", () => {
  test("is ours before its first heartbeat", () => {
    expect(intervalOf(UNKNOWN_RHYTHM, 500)).toBe(500);
    expect(intervalOf(UNKNOWN_RHYTHM, 5_000)).toBe(5_000);
  });

  test("is the announced one, whatever was observed", () => {
    expect(intervalOf(rhythm({ announcedMs: 4_000, seenMs: 9_000, hasBeaten: true }), 500)).toBe(4_000);
  });

  test("is the observed one if none was announced", () => {
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

  test("is bounded, announced or observed", () => {
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ seenMs: 1e9, hasBeaten: true }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 90_000)).toBe(90_000);
  });
});

describe("a heartbeat updates", () => {
  test("that its sender has sent one", () => {
    expect(learnRhythm(UNKNOWN_RHYTHM, undefined)).toStrictEqual(rhythm({ hasBeaten: true }));
  });

  test("the longest pause so far", () => {
    const pauses = [1_000, 3_000, 2_000];
    const learned = pauses.reduce(learnRhythm, rhythm({ hasBeaten: true }));
    expect(learned.seenMs).toBe(3_000);
  });

  test("nothing if it was expected, and then makes no new object", () => {
    const known = rhythm({ seenMs: 3_000, hasBeaten: true });
    expect(learnRhythm(known, 3_000)).toBe(known);
    expect(learnRhythm(known, 10)).toBe(known);
    expect(learnRhythm(known, undefined)).toBe(known);
  });

  test("nothing that overrides the announced interval", () => {
    expect(learnRhythm(rhythm({ announcedMs: 1_000 }), 5_000).announcedMs).toBe(1_000);
  });
});
