import { expect, test } from "vitest";
import { cellsOf, type Neighbours } from "./cells.ts";

const NO_CPU = { client: 0, broker: 0, worker: 0 };

function visit(perSecond: number) {
  return { perSecond, lost: 0, cpuMicros: NO_CPU };
}

function neighbours(base: readonly number[], other: number): Neighbours {
  return { visits: new Map([["other", visit(other)]]), base: base.map(visit) };
}

test("a ratio is taken between neighbours, so that a slow minute of the machine changes nothing", () => {
  const rounds = [[neighbours([200, 400], 100)], [neighbours([20, 40], 10)], [neighbours([600, 1200], 300)]];
  const other = cellsOf("a case", rounds).find(({ peer }) => peer === "other");

  expect(other?.ratio).toEqual({ low: 3, median: 3, high: 3 });
  expect(other?.perSecond).toEqual({ low: 55, median: 100, high: 200 });
});

test("without the base there is a figure, but no ratio", () => {
  const cells = cellsOf("a case", [[neighbours([], 100)], [neighbours([50], 200)], [neighbours([], 300)]]);
  const other = cells.find(({ peer }) => peer === "other");

  expect(other).toMatchObject({ rounds: 3, ratio: { median: 0.25 }, perSecond: { median: 200 } });
});
