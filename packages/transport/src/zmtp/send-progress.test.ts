import { beforeEach, expect, test } from "vitest";
import { SendProgress } from "./send-progress.ts";

const LIMITS = { sendStallTimeoutMs: 100, minProgressBytes: 50 };

let progress: SendProgress;
let wakeAt: number | undefined;

beforeEach(() => {
  wakeAt = undefined;
  progress = new SendProgress(LIMITS, () => ({
    set: (at) => {
      wakeAt = at;
    },
  }));
});

/** Checks when the alarm has rung, while messages wait. */
function check(takenBytes: number | undefined, now: number) {
  return progress.check({ isBlocked: true, takenBytes, waitingBytes: 7_000 }, now);
}

test("a peer that takes nothing for a period is not reading", () => {
  progress.begin(1_000, 0);
  expect(wakeAt).toBe(100);
  expect(check(1_000, 100)).toEqual({
    code: "NOT_READING",
    detail: "it took 0 bytes in 100 ms while 7000 waited for it; the minimum is 50",
  });
});

test("a peer must take the minimum in every period", () => {
  progress.begin(1_000, 0);
  expect(check(1_050, 100)).toBeUndefined();
  expect(wakeAt).toBe(200);
  expect(check(1_099, 200)?.detail).toContain("it took 49 bytes");
});

test("a peer that took all that waited has a whole period for what waits next", () => {
  progress.begin(0, 0);
  progress.onCaughtUp();
  expect(progress.isMeasuring).toBe(true);
  // It took little, and more waits again.
  expect(check(1, 100)).toBeUndefined();
  expect(wakeAt).toBe(200);
  expect(check(1, 200)?.code).toBe("NOT_READING");
});

test("nothing is measured while nothing waits", () => {
  progress.begin(0, 0);
  expect(progress.check({ isBlocked: false, takenBytes: 5, waitingBytes: 0 }, 100)).toBeUndefined();
  expect(progress.isMeasuring).toBe(false);
  expect(wakeAt).toBe(100);
});

test("a peer whose progress is unknown stays connected", () => {
  progress.begin(undefined, 0);
  expect(check(undefined, 100)).toBeUndefined();
  expect(wakeAt).toBe(200);
});

test("a connection that ends has no alarm and no period", () => {
  progress.begin(0, 0);
  progress.stop();
  expect(wakeAt).toBeUndefined();
  expect(check(0, 100)).toBeUndefined();
});
