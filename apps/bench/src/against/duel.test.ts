import { expect, test } from "vitest";
import { verdictOf } from "./duel.ts";

function visit(perSecond: number, micros: number) {
  return { perSecond, lost: 0, cpuMicros: { client: micros / 2, broker: Number.NaN, worker: micros / 2 } };
}

test("speed and CPU are compared within a pair, so that a slow minute of the machine changes nothing", () => {
  const pairs = [
    { own: visit(200, 10), other: visit(100, 40) },
    { own: visit(20, 100), other: visit(10, 400) },
    { own: visit(900, 5), other: visit(450, 20) },
  ];

  expect(verdictOf("a case", pairs)).toEqual({
    what: "a case",
    rounds: 3,
    perSecond: { own: { low: 110, median: 200, high: 550 }, other: { low: 55, median: 100, high: 275 } },
    speed: { low: 2, median: 2, high: 2 },
    cpu: { low: 0.25, median: 0.25, high: 0.25 },
  });
});
