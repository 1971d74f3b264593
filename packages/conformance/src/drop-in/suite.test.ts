// Runs the original's own test suite unchanged with ours. Tests that may fail are listed here with the reason; all others pass.
// Many of its tests wait by the clock, so a test that fails on a busy machine runs again: alone, and then, because a late test
// disturbs those after it, with its whole file.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { optionsForImports } from "@pigato/testkit/programs";
import { expect, test } from "vitest";
import { ORIGINAL } from "./program.ts";

const require = createRequire(import.meta.url);
const PRELOAD = fileURLToPath(new URL("../../classic/drop-in.cjs", import.meta.url));

/** The number of tests in a file, and which of them ours need not pass. */
const FILES: readonly [file: string, count: number, others: Readonly<Record<string, string>>][] = [
  ["client.js", 17, { "wait for the heartbeat to expire before the error is returned": "timeouts are exact" }],
  [
    "worker.js",
    23,
    {
      "emit 'connect' at reception of first ZMQ message (even if it is not a READY message)": "looks at worker.socket",
      "emit request events with no data when receiving a request with nothing": "a request without an id is rejected",
    },
  ],
  ["index.js", 9, {}],
  ["startStop.js", 12, {}],
  ["concurrency.js", 1, {}],
  ["requestStream.js", 1, {}],
  ["target.js", 1, {}],
  ["timeout.js", 4, {}],
  ["semver.js", 2, {}],
  ["wildcards.js", 5, {}],
  ["directory.js", 2, {}],
];

test.each(FILES)("%s", { timeout: 60_000 }, async (file, count, others) => {
  let report = await run(file, Object.keys(others));
  if (report.failures.length > 0) report = await run(file, Object.keys(others));
  expect(report.failures).toEqual([]);
  expect(report.passes + Object.keys(others).length).toBe(count);
});

interface Report {
  readonly passes: number;
  readonly failures: readonly unknown[];
}

async function run(file: string, others: readonly string[]): Promise<Report> {
  const settings = [...optionsForImports(), "--require", PRELOAD];
  const excluded = others.length === 0 ? [] : ["--invert", "--grep", others.map(escaped).join("|")];
  const mocha = join(require.resolve("mocha/package.json"), "../bin/mocha.js");
  const args = [mocha, "--exit", "--retries", "5", "--reporter", "json", ...excluded, join(ORIGINAL, "test", file)];
  const child = spawn(process.execPath, [...settings, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, PIGATO_LIBRARY: "ours" },
  });
  let output = "";
  for await (const text of child.stdout.setEncoding("utf8")) output += text;
  const report: { stats: { passes: number }; failures: { fullTitle: string; err: unknown }[] } = JSON.parse(output);
  return { passes: report.stats.passes, failures: report.failures.map(({ fullTitle, err }) => [fullTitle, err]) };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
