import { expect, test } from "vitest";
import { type NeighborGroup, resultsOf } from "./results.ts";

const NO_CPU = { client: 0, broker: 0, worker: 0 };

function sample(perSecond: number) {
  return { perSecond, lost: 0, cpuMicros: NO_CPU };
}

function group(baseline: readonly number[], other: number): NeighborGroup {
  return { samples: new Map([["other", sample(other)]]), baseline: baseline.map(sample) };
}

test("the ratio compares neighboring samples, so that a slow minute of the machine changes nothing", () => {
  const rounds = [[group([200, 400], 100)], [group([20, 40], 10)], [group([600, 1200], 300)]];
  const other = resultsOf("a case", rounds).find(({ peer }) => peer === "other");

  expect(other?.ratio).toEqual({ low: 3, median: 3, high: 3 });
  expect(other?.perSecond).toEqual({ low: 55, median: 100, high: 200 });
});

test("a round without the baseline adds a figure but no ratio", () => {
  const results = resultsOf("a case", [[group([], 100)], [group([50], 200)], [group([], 300)]]);
  const other = results.find(({ peer }) => peer === "other");

  expect(other).toMatchObject({ rounds: 3, ratio: { median: 0.25 }, perSecond: { median: 200 } });
});
