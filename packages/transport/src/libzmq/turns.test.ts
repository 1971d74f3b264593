import { expect, test } from "vitest";
import { Turns } from "./turns.ts";

test("most messages need no pause, and a long run of messages has pauses", () => {
  const turns = new Turns();
  const pauses = Array.from({ length: 1_000 }, () => turns.after(1)).filter((pause) => pause !== undefined);
  expect(pauses.length).toBeGreaterThan(5);
  expect(pauses.length).toBeLessThan(20);
});

test("a pause lets an immediate callback run", async () => {
  const turns = new Turns();
  let hasRun = false;
  setImmediate(() => {
    hasRun = true;
  });
  await turns.after(100_000);
  expect(hasRun).toBe(true);
});

test("messages that take long need pauses, whose time does not count", async () => {
  let now = 0;
  const turns = new Turns(() => now);
  const pauses: number[] = [];
  for (let message = 1; message <= 12; message++) {
    now += 20;
    const pause = turns.after(1);
    if (pause === undefined) continue;
    pauses.push(message);
    now += 1_000;
    await pause;
  }
  expect(pauses).toEqual([4, 8, 12]);
});

test("a message of many frames needs a pause", () => {
  const turns = new Turns();
  expect(turns.after(1)).toBeUndefined();
  expect(turns.after(10_000)).toBeInstanceOf(Promise);
  expect(turns.after(1)).toBeUndefined();
});
