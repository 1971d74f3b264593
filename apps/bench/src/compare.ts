// `pnpm bench compare`: compares PIGATO with other systems. All peers are up at once; client, broker and worker each have their
// own process; both ends read and write JSON; everything runs over tcp on this machine.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parsePositive, parseSeconds } from "./command-line.ts";
import { CASES, QUICK_CASES } from "./compare/cases.ts";
import { BASELINE, PEERS, QUICK_PEERS } from "./compare/peers.ts";
import { runComparison } from "./compare/runner.ts";
import { describeMissing, parseNames, selectPeers } from "./compare/select-peers.ts";
import { installed } from "./compare/server.ts";
import { cpuTable, processTable, ratesTable, ratiosTable } from "./compare/tables.ts";
import { versionsOf } from "./compare/versions.ts";
import type { CompareResult } from "./records/record-types.ts";
import { asLines } from "./records/records.ts";
import { describeRun, startRun } from "./records/run-info.ts";
import { asText } from "./table.ts";
import { showProgress } from "./terminal.ts";

export interface CompareOptions {
  /** Names of peers; all if `undefined`. */
  readonly peers?: readonly string[] | undefined;
  /** Names of cases; all if `undefined`. */
  readonly cases?: readonly string[] | undefined;
  readonly seconds: number;
  readonly burstMs: number;
}

export async function measureComparison({ peers, cases, seconds, burstMs }: CompareOptions): Promise<CompareResult> {
  const { entries, missing } = selectPeers(peers, (program) => installed(program) !== undefined);
  for (const entry of missing) console.log(describeMissing(entry));
  const selected = CASES.filter(({ name }) => cases === undefined || cases.includes(name));
  const results = await runComparison(entries, { cases: selected, seconds, burstMs, onProgress: showProgress });
  showProgress(1, "");
  return {
    rounds: Math.max(...results.results.filter(({ peer }) => peer !== BASELINE).map(({ rounds }) => rounds)),
    burstMs,
    versions: Object.fromEntries(entries.map((entry) => [entry.name, versionsOf(entry)])),
    missing: missing.map(({ name }) => name),
    ...results,
  };
}

export async function run(args: readonly string[], commandLine: string): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      cases: { type: "string" },
      seconds: { type: "string" },
      "burst-ms": { type: "string" },
      json: { type: "string" },
    },
  });
  const finishRun = startRun(commandLine);
  const result = await measureComparison({
    peers: parseNames(values.only, PEERS) ?? (values.quick ? QUICK_PEERS : undefined),
    cases: parseNames(values.cases, CASES) ?? (values.quick ? QUICK_CASES : undefined),
    seconds: parseSeconds(values.seconds ?? (values.quick ? "20" : "340"), "--seconds"),
    burstMs: parsePositive(values["burst-ms"] ?? (values.quick ? "150" : "250"), "--burst-ms"),
  });
  const { results, memory, failures } = result;
  const tables = [ratesTable(results), ratiosTable(results), cpuTable(results), processTable(results, memory)];
  for (const table of tables) console.log(asText(table));
  for (const failure of failures) console.log(`failed during the run: ${failure}`);
  const record = { run: finishRun(), ...result };
  console.log(describeRun(record.run));
  if (values.json === undefined) console.log(JSON.stringify(record));
  else writeFileSync(values.json, asLines(record));
}
