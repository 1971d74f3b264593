import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shrinkLimit } from "./shrink-limit.ts";

const numbers = fc.array(fc.nat(), { minLength: 50, maxLength: 50, size: "max" });

describe("the limit of a search for a shorter failing input", () => {
  test("ends the search of a failing property, which reports its failure", () => {
    let runs = 0;
    const property = fc.property(numbers, () => {
      runs += 1;
      spin(2);
      throw new Error("wrong");
    });
    const { failed, numShrinks, errorInstance } = fc.check(property, {
      plugins: [shrinkLimit(20, () => new fc.PreconditionFailure(true))],
    });
    expect({ failed, errorInstance }).toEqual({ failed: true, errorInstance: new Error("wrong") });
    expect(numShrinks).toBe(runs - 1);
    expect(runs).toBeLessThan(15);
  });

  test("ends the search of a failing asynchronous property", async () => {
    let runs = 0;
    const property = fc.asyncProperty(numbers, async () => {
      runs += 1;
      spin(2);
      throw new Error("wrong");
    });
    const { failed } = await fc.check(property, { plugins: [shrinkLimit(20, () => new fc.PreconditionFailure(true))] });
    expect(failed).toBe(true);
    expect(runs).toBeLessThan(15);
  });

  test("does not end the runs before a failure", () => {
    let runs = 0;
    const property = fc.property(fc.nat(), () => {
      runs += 1;
      spin(1);
    });
    expect(
      fc.check(property, { numRuns: 40, plugins: [shrinkLimit(5, () => new fc.PreconditionFailure(true))] }).failed,
    ).toBe(false);
    expect(runs).toBe(40);
  });

  test("is set for every property test", () => {
    let installedPlugins = 0;
    const count = (index: number) => {
      installedPlugins = index;
      return {};
    };
    fc.assert(
      fc.property(fc.nat(), () => {}),
      { numRuns: 1, plugins: [count] },
    );
    expect(installedPlugins).toBe(1);
    expect(Number(process.env.PIGATO_SHRINK_MS)).toBeGreaterThan(0);
  });
});

function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
