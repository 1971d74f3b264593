import { describe, expect, test } from "vitest";
import { CASES, MANY_CLIENTS } from "../compare/cases.ts";
import { comparePaired, resultOf, type Side } from "./paired-comparison.ts";

function sample(perSecond: number, micros: number) {
  return { perSecond, lost: 0, cpuMicros: { client: micros / 2, broker: Number.NaN, worker: micros / 2 } };
}

function pairsWithCpuRatios(...ratios: readonly number[]) {
  return ratios.map((ratio) => ({ own: sample(100, 10 * ratio), other: sample(100, 10) }));
}

test("ratios compare the samples of a pair, so that a slow minute of the machine changes nothing", () => {
  const pairs = [
    { own: sample(200, 10), other: sample(100, 40) },
    { own: sample(20, 100), other: sample(10, 400) },
    { own: sample(900, 5), other: sample(450, 20) },
  ];

  expect(resultOf("a case", pairs)).toEqual({
    caseName: "a case",
    rounds: 3,
    perSecond: { own: { low: 110, median: 200, high: 550 }, other: { low: 55, median: 100, high: 275 } },
    cpuMicros: { own: { low: 7.5, median: 10, high: 55 }, other: { low: 30, median: 40, high: 220 } },
    speedRatio: { low: 2, median: 2, high: 2 },
    cpuRatio: { low: 0.25, median: 0.25, high: 0.25 },
    cpuInterval: [0.25, 0.25],
    verdict: "met",
  });
});

describe("the CPU limit is 1.02", () => {
  test.each([
    ["is met by the limit itself", [1.02, 1.02, 1.02], "met"],
    ["is not met if the whole confidence interval is above it", [1.03, 1.04, 1.05], "not met"],
    ["is unclear if only the median is above it", [0.9, 1.03, 1.05], "unclear"],
  ])("%s", (_title, ratios, verdict) => {
    expect(resultOf("a case", pairsWithCpuRatios(...ratios)).verdict).toBe(verdict);
  });
});

test("each start runs every case at least once, with the connections that the case needs", async () => {
  const log: string[] = [];
  const createSide = (name: string): Side => {
    let connections = 0;
    return {
      start: async () => void log.push(`${name} starts`),
      setConnections: async (count) => {
        connections = count;
      },
      sample: async (measured) => {
        expect(connections).toBe(measured.clients);
        log.push(`${name} ${measured.name}`);
        return sample(1, 1);
      },
      stop: async () => void log.push(`${name} stops`),
    };
  };
  const names = ["20 B × 1", `${MANY_CLIENTS} clients`];
  const cases = CASES.filter(({ name }) => names.includes(name));

  const results = await comparePaired(() => [createSide("own"), createSide("other")], {
    cases,
    seconds: 0,
    burstMs: 1,
    starts: 2,
    onProgress: () => {},
  });

  expect(results.map(({ caseName, rounds }) => [caseName, rounds])).toEqual(names.map((name) => [name, 2]));
  // Each start: both sides start and stop, and sample both cases for the warm-up and for one round.
  expect(log.toSorted()).toEqual(
    ["own", "other"]
      .flatMap((side) => [
        ...[`${side} starts`, `${side} stops`].flatMap((line) => [line, line]),
        ...names.flatMap((name) => Array.from({ length: 4 }, () => `${side} ${name}`)),
      ])
      .toSorted(),
  );
});
