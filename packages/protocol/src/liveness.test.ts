import { describe, expect, test } from "vitest";
import { type HeartbeatTiming, intervalOf, MAX_HEARTBEAT_MS, observeHeartbeat, UNKNOWN_TIMING } from "./liveness.ts";

const rhythm = (known: Partial<HeartbeatTiming>): HeartbeatTiming => ({ ...UNKNOWN_TIMING, ...known });

describe("the interval of a peer", () => {
  test("is ours before its first heartbeat", () => {
    expect(intervalOf(UNKNOWN_TIMING, 500)).toBe(500);
    expect(intervalOf(UNKNOWN_TIMING, 5_000)).toBe(5_000);
  });

  test("is the announced one, whatever was observed", () => {
    expect(intervalOf(rhythm({ announcedMs: 4_000, seenMs: 9_000, hasSentHeartbeat: true }), 500)).toBe(4_000);
  });

  test("is the observed one if none was announced", () => {
    expect(intervalOf(rhythm({ seenMs: 9_000, hasSentHeartbeat: true }), 500)).toBe(9_000);
  });

  test("is the original's after a single heartbeat", () => {
    expect(intervalOf(rhythm({ hasSentHeartbeat: true }), 500)).toBe(2_500);
  });

  test("is never shorter than ours", () => {
    expect(intervalOf(rhythm({ announcedMs: 10 }), 500)).toBe(500);
    expect(intervalOf(rhythm({ seenMs: 10, hasSentHeartbeat: true }), 500)).toBe(500);
    expect(intervalOf(rhythm({ hasSentHeartbeat: true }), 5_000)).toBe(5_000);
  });

  test("is bounded, announced or observed", () => {
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ seenMs: 1e9, hasSentHeartbeat: true }), 500)).toBe(MAX_HEARTBEAT_MS);
    expect(intervalOf(rhythm({ announcedMs: 1e15 }), 90_000)).toBe(90_000);
  });
});

describe("a heartbeat updates", () => {
  test("that its sender has sent one", () => {
    expect(observeHeartbeat(UNKNOWN_TIMING, undefined)).toStrictEqual(rhythm({ hasSentHeartbeat: true }));
  });

  test("the longest pause so far", () => {
    const pauses = [1_000, 3_000, 2_000];
    const learned = pauses.reduce(observeHeartbeat, rhythm({ hasSentHeartbeat: true }));
    expect(learned.seenMs).toBe(3_000);
  });

  test("nothing if it was expected, and then makes no new object", () => {
    const known = rhythm({ seenMs: 3_000, hasSentHeartbeat: true });
    expect(observeHeartbeat(known, 3_000)).toBe(known);
    expect(observeHeartbeat(known, 10)).toBe(known);
    expect(observeHeartbeat(known, undefined)).toBe(known);
  });

  test("nothing that overrides the announced interval", () => {
    expect(observeHeartbeat(rhythm({ announcedMs: 1_000 }), 5_000).announcedMs).toBe(1_000);
  });
});
