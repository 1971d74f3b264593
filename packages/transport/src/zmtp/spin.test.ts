import { expect, test } from "vitest";
import { Spin } from "./spin.ts";

let now = 0;
let turns: (() => void)[] = [];

function spin(durationMs: number): Spin {
  now = 100;
  turns = [];
  return new Spin(durationMs, { now: () => now }, (callback) => turns.push(callback));
}

/** Whether it polls in the next turn of the event loop, which begins `ms` later. */
function pollsAfter(ms: number): boolean {
  now += ms;
  for (const turn of turns.splice(0)) turn();
  return turns.length > 0;
}

test("it polls after a message, for its duration", () => {
  spin(2).onMessage();
  expect([pollsAfter(0), pollsAfter(1.5), pollsAfter(0.5)]).toEqual([true, true, false]);
});

test("every message restarts the duration, and it polls once per turn", () => {
  const spinning = spin(2);
  for (let count = 0; count < 3; count++) spinning.onMessage();
  expect(turns).toHaveLength(1);
  pollsAfter(0);
  now += 1.5;
  spinning.onMessage();
  expect([pollsAfter(0), pollsAfter(1.5), pollsAfter(0.5)]).toEqual([true, true, false]);
});

test("after it has stopped, it starts again with the next message", () => {
  const spinning = spin(2);
  spinning.onMessage();
  pollsAfter(0);
  expect(pollsAfter(3)).toBe(false);
  spinning.onMessage();
  expect(pollsAfter(0)).toBe(true);
});

test("it never polls with a duration of zero", () => {
  spin(0).onMessage();
  expect(turns).toEqual([]);
});
