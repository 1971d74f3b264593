// How fast is PIGATO beside what one would use instead? Everyone is up at once, client, broker and worker each in a
// process of its own, JSON written and read at both ends, over tcp on this machine.
//
//   pnpm bench compare [--quick] [--only <peers>] [--cases <cases>] [--json <file>] [--svg <file>] [--page] [--machine <text>]
//
// Peers and cases are named as compare/roster.ts and compare/cases.ts name them, with commas between.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { CASES, CROWD_CASES, CROWD_SIZE, QUICK_CASES } from "./compare/cases.ts";
import { type Act, conduct } from "./compare/conductor.ts";
import { BASE, QUICK_PEERS, ROSTER } from "./compare/roster.ts";
import { chosen, select, whyMissing } from "./compare/selection.ts";
import { installed } from "./compare/server.ts";
import { tablesOf } from "./compare/tables.ts";
import { versionsOf } from "./compare/versions.ts";
import { showProgress } from "./progress.ts";
import { asSentence, observed } from "./records/circumstances.ts";
import { asLines, writeRecord } from "./records/records.ts";
import type { CompareRecord } from "./records/shapes.ts";
import { asText } from "./table.ts";

const { values } = parseArgs({
  options: {
    /** Some cases and some peers only, in less than a minute. */
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    cases: { type: "string" },
    /** How long to measure, beside starting and warming up. */
    seconds: { type: "string" },
    "burst-ms": { type: "string" },
    json: { type: "string" },
    /** The chart of rates. */
    svg: { type: "string" },
    /** Keeps the figures in docs/benchmarks, and writes the page there anew. */
    page: { type: "boolean", default: false },
    machine: { type: "string" },
  },
});

const names = chosen(values.only, ROSTER) ?? (values.quick ? QUICK_PEERS : undefined);
const { entries, missing } = select(names, (program) => installed(program) !== undefined);
for (const entry of missing) console.log(whyMissing(entry));

const cases = chosen(values.cases, [...CASES, ...CROWD_CASES]) ?? (values.quick ? QUICK_CASES : undefined);
const isWanted = ({ name }: { readonly name: string }) => cases === undefined || cases.includes(name);
const seconds = Number(values.seconds ?? (values.quick ? 20 : 340));
const acts: readonly Act[] = [
  { connections: 1, cases: CASES.filter(isWanted), seconds: seconds * 0.87 },
  { connections: CROWD_SIZE, cases: CROWD_CASES.filter(isWanted), seconds: seconds * 0.13 },
].filter((act) => act.cases.length > 0);

const conclude = observed();
const burstMs = Number(values["burst-ms"] ?? (values.quick ? 150 : 250));
const results = await conduct(entries, { burstMs, acts, onProgress: showProgress });
showProgress(1, "");

const record: CompareRecord = {
  circumstances: conclude(values.machine),
  rounds: Math.max(...results.cells.filter(({ peer }) => peer !== BASE).map((cell) => cell.rounds)),
  burstMs,
  versions: Object.fromEntries(entries.map((entry) => [entry.name, versionsOf(entry)])),
  missing: missing.map(({ name }) => name),
  ...results,
};

for (const table of tablesOf(record.cells, record.memory)) console.log(asText(table));
for (const failure of record.failures) console.log(`left out on the way: ${failure}`);
console.log(asSentence(record.circumstances));
if (values.json === undefined) console.log(JSON.stringify({ question: "compare", ...record }));
else writeFileSync(values.json, asLines(record));
// Drawing is for those who ask for it: the library is large.
if (values.svg !== undefined)
  writeFileSync(values.svg, await (await import("./page/charts.ts")).ratesChart(record.cells));
if (values.page) {
  writeRecord("compare", record);
  await (await import("./page/page.ts")).writePage();
}
