import { expect, test } from "vitest";
import { cellsOf, type Round } from "./cells.ts";

const NO_CPU = { client: 0, broker: 0, worker: 0 };

function round(figures: Readonly<Record<string, number>>): Round {
  return new Map(Object.entries(figures).map(([peer, perSecond]) => [peer, { perSecond, lost: 0, cpuMicros: NO_CPU }]));
}

test("a ratio is taken within a round, so that a slow round of the machine changes nothing", () => {
  const rounds = [
    round({ "pigato call": 300, other: 100 }),
    round({ "pigato call": 30, other: 10 }),
    round({ "pigato call": 900, other: 300 }),
  ];
  const other = cellsOf("a case", rounds).find(({ peer }) => peer === "other");

  expect(other?.ratio).toEqual({ low: 3, median: 3, high: 3 });
  expect(other?.perSecond).toEqual({ low: 55, median: 100, high: 200 });
});

test("a round without the base has no ratio, but a figure", () => {
  const cells = cellsOf("a case", [round({ other: 100 }), round({ "pigato call": 50, other: 200 })]);
  const other = cells.find(({ peer }) => peer === "other");

  expect(other).toMatchObject({ rounds: 2, ratio: { median: 0.25 }, perSecond: { median: 150 } });
});
