// `pnpm bench record`: runs every measurement of the docs at one commit, saves the results, and writes the pages and charts.

import { parseArgs } from "node:util";
import { measureBroker } from "./broker.ts";
import { parseSeconds } from "./command-line.ts";
import { RECORD_CASES } from "./compare/cases.ts";
import { measureComparison } from "./compare.ts";
import { measureCore } from "./core.ts";
import { measureDialects } from "./dialects.ts";
import { writePages } from "./page/page.ts";
import { measureProfile } from "./profile.ts";
import { writeResults } from "./records/records.ts";
import { describeRun, hasUncommittedChanges, startRun } from "./records/run-info.ts";

const BURST_MS = 200;
const ROUNDS = 3;
const CORE_ROUNDS = 4;
/** For each of the three cases. */
const PROFILE_SECONDS = 3;

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { seconds: { type: "string", default: "130" }, machine: { type: "string" } },
  });
  const seconds = parseSeconds(values.seconds, "--seconds");
  if (hasUncommittedChanges()) {
    throw new Error("packages or apps have uncommitted changes: commit them first, because the page names one commit");
  }
  const finishRun = startRun(commandLine);
  const compare = await step("compare", () => measureComparison({ cases: RECORD_CASES, seconds, burstMs: BURST_MS }));
  const core = await step("core", () => measureCore(CORE_ROUNDS));
  const broker = await step("broker", () => measureBroker(ROUNDS));
  const dialects = await step("dialects", () => measureDialects(ROUNDS));
  const profile = await step("profile", () => measureProfile(PROFILE_SECONDS));
  const results = { run: finishRun(values.machine), compare, core, broker, dialects, profile };
  writeResults(results);
  await writePages();
  for (const failure of compare.failures) console.log(`failed during the run: ${failure}`);
  console.log(describeRun(results.run));
}

async function step<Result>(name: string, measure: () => Promise<Result>): Promise<Result> {
  const start = performance.now();
  const result = await measure();
  console.log(`${name}: ${Math.round((performance.now() - start) / 1000)} s`);
  return result;
}
