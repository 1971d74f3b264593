import { expect, test } from "vitest";
import { Spin } from "./spin.ts";

let now = 0;
let turns: (() => void)[] = [];

function spin(durationMs: number): Spin {
  now = 100;
  turns = [];
  return new Spin(durationMs, { now: () => now }, (callback) => turns.push(callback));
}

/** Whether it looks again in the next turn of the event loop, which begins `ms` later. */
function looksAgainAfter(ms: number): boolean {
  now += ms;
  for (const turn of turns.splice(0)) turn();
  return turns.length > 0;
}

test("after a message it looks for the next one, for as long as it was told", () => {
  spin(2).onHeard();
  expect([looksAgainAfter(0), looksAgainAfter(1.5), looksAgainAfter(0.5)]).toEqual([true, true, false]);
});

test("every message begins the time anew, and there is one look a turn", () => {
  const spinning = spin(2);
  for (let count = 0; count < 3; count++) spinning.onHeard();
  expect(turns).toHaveLength(1);
  looksAgainAfter(0);
  now += 1.5;
  spinning.onHeard();
  expect([looksAgainAfter(0), looksAgainAfter(1.5), looksAgainAfter(0.5)]).toEqual([true, true, false]);
});

test("once asleep, it begins again with the next message", () => {
  const spinning = spin(2);
  spinning.onHeard();
  looksAgainAfter(0);
  expect(looksAgainAfter(3)).toBe(false);
  spinning.onHeard();
  expect(looksAgainAfter(0)).toBe(true);
});

test("of no duration it never looks", () => {
  spin(0).onHeard();
  expect(turns).toEqual([]);
});
