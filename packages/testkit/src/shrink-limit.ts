// Vitest's setup for each test file: bounds how long a failing property test searches for a shorter failing input. Without a
// bound, that takes minutes. Files without property tests do not load fast-check, which would take longer than most of them.

import { readFileSync } from "node:fs";
import type { PluginInstance } from "fast-check";
import { expect } from "vitest";

const { testPath } = expect.getState();
if (testPath !== undefined && readFileSync(testPath, "utf8").includes(' from "fast-check"')) {
  const { default: fc } = await import("fast-check");
  fc.installGlobalPlugin(shrinkLimit(Number(process.env.PIGATO_SHRINK_MS), () => new fc.PreconditionFailure(true)));
}

type Run<Inputs> = Parameters<NonNullable<PluginInstance<Inputs>["decorateRun"]>>[0];

/**
 * A plugin of fast-check that stops the search `limitMs` after the first failure, and reports the shortest input so far.
 * @param stop the result of a run that ends the search
 */
export function shrinkLimit<Inputs>(
  limitMs: number,
  stop: () => ReturnType<Run<Inputs>>,
): () => PluginInstance<Inputs> {
  return () => {
    let stopsAt = Number.POSITIVE_INFINITY;
    function note<Outcome>(outcome: Outcome): Outcome {
      if (outcome !== null && stopsAt === Number.POSITIVE_INFINITY) stopsAt = performance.now() + limitMs;
      return outcome;
    }
    return {
      decorateRun: (run) => (inputs) => {
        if (performance.now() >= stopsAt) return stop();
        const outcome = run(inputs);
        return outcome instanceof Promise ? outcome.then(note) : note(outcome);
      },
    };
  };
}
