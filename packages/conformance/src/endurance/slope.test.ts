import { describe, expect, test } from "vitest";
import { type Sample, slopeOf } from "./slope.ts";

function samples(...values: number[]): Sample[] {
  return values.map((value, at) => ({ at, value }));
}

describe("the slope of samples", () => {
  test("is the slope of their line, with a narrow interval", () => {
    expect(slopeOf(samples(10, 13, 16, 19))).toEqual({ perUnit: 3, plusMinus: 0 });
  });

  test("is near zero for random samples, with a wide interval", () => {
    const { perUnit, plusMinus } = slopeOf(samples(5, -5, 5, -5, 5, -5, 5, -5, 5));
    expect(Math.abs(perUnit)).toBeLessThan(plusMinus);
  });

  test("is found despite random variation", () => {
    const { perUnit, plusMinus } = slopeOf(samples(1, 9, 21, 29, 41, 49, 61, 69));
    expect(perUnit - plusMinus).toBeGreaterThan(9);
    expect(perUnit + plusMinus).toBeLessThan(11);
  });

  test("has the interval given by tables of Student's distribution", () => {
    // Five samples, three degrees of freedom: 3.182 times the standard error of the slope.
    const { plusMinus } = slopeOf(samples(0, 1, 0, 1, 0));
    expect(plusMinus).toBeCloseTo(3.182 * Math.sqrt(1.2 / 3 / 10), 1);
  });

  test("is unknown for too few samples", () => {
    expect(slopeOf(samples(1, 2)).plusMinus).toBe(Number.POSITIVE_INFINITY);
  });
});
