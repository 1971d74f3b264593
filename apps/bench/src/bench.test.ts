// The benchmark measures what it is asked for: its shortest form, in a process of its own as `pnpm bench` has it.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const SOURCES = ["--conditions=@pigato/source", "--import", "tsx"];

test.each([
  ["every size", "core-load.ts", ["load 1 1 0", "rand 10 1 0 3"]],
  ["every size of a whole broker", "broker-load.ts", ["1 2 0 1", "2 1 5 3"]],
  ["every kind of name", "core-names.ts", ["name same 1", "range another 10000", "long-miss same 1"]],
  ["every form of frames", "frames-load.ts", ["frames", "envelope"]],
  ["every pair of dialects", "dialects-load.ts", ["mdp02 mdp01", "omdp butler"]],
])("the benchmark measures %s it is asked for", { timeout: 60_000 }, async (_what, file, names) => {
  const program = `
    import { takeTurns } from ${JSON.stringify(new URL("rounds.ts", import.meta.url))};
    process.execArgv = ${JSON.stringify(SOURCES)}; // of the cases: not this program again
    const file = new URL(${JSON.stringify(new URL(file, import.meta.url))});
    console.log(JSON.stringify(await takeTurns(file, ${JSON.stringify(names)}, ${JSON.stringify(names[0])}, 1)));
  `;
  const flags = [...SOURCES, "--input-type=module", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 50_000 });
  const outcomes: readonly { readonly name: string; readonly median: number }[] = JSON.parse(stdout);

  expect(outcomes.map(({ name }) => name)).toEqual(names);
  for (const { median } of outcomes) expect(median).toBeGreaterThan(0);
});
