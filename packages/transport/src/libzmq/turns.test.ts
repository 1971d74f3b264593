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

test("a message of many frames needs a pause", () => {
  const turns = new Turns();
  expect(turns.after(1)).toBeUndefined();
  expect(turns.after(10_000)).toBeInstanceOf(Promise);
  expect(turns.after(1)).toBeUndefined();
});
