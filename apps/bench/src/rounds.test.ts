// Every program of measureInRounds in its shortest form, as a child process.

import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleOf } from "@pigato/testkit/programs";
import { expect, test } from "vitest";
import { measureInRounds } from "./rounds.ts";

test.each([
  ["every size of the core", "core/load.ts", ["load 1 1 0", "rand 10 1 0 3"]],
  ["every size of a whole broker", "broker/load.ts", ["1 2 0 1", "2 1 5 3"]],
  ["every kind of name", "core/names.ts", ["name same 1", "range another 10000", "long-miss same 1"]],
  ["every form of frames", "frames/load.ts", ["frames", "envelope"]],
  ["every pair of dialects", "broker/dialects-load.ts", ["mdp02 mdp01", "omdp butler"]],
])("the benchmark measures %s", { timeout: 60_000 }, async (_what, file, names) => {
  const source = fileURLToPath(new URL(file, import.meta.url));
  const program = pathToFileURL(bundleOf(source) ?? source);
  const measured = await measureInRounds(program, names, names[0] ?? "", 1);

  expect(measured.map(({ name }) => name)).toEqual(names);
  for (const { figures, median, ratio } of measured) {
    expect(figures).toHaveLength(1);
    expect(median).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(0);
  }
});
