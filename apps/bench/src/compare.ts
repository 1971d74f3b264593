// How fast is PIGATO beside what one would use instead? Everyone is up at once, client, broker and worker each in a
// process of its own, JSON written and read at both ends, over tcp on this machine.
//
//   pnpm bench compare [--quick] [--only <peers>] [--cases <cases>] [--json <file>] [--page [--machine <text>]]
//
// Peers and cases are named as compare/roster.ts and compare/cases.ts name them, with commas between.

import { writeFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { CASES, CROWD_CASES, CROWD_SIZE, QUICK_CASES } from "./compare/cases.ts";
import { type Act, conduct } from "./compare/conductor.ts";
import { writePage } from "./compare/page.ts";
import { BASE, QUICK_PEERS, ROSTER } from "./compare/roster.ts";
import { installed } from "./compare/server.ts";
import { asText, tablesOf } from "./compare/table.ts";
import { targetTable } from "./compare/targets.ts";

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
    /** Writes the figures into docs/explanation/performance.md. */
    page: { type: "boolean", default: false },
    machine: { type: "string", default: `${availableParallelism()} cores` },
  },
});

const names = values.only?.split(",") ?? (values.quick ? QUICK_PEERS : undefined);
const entries = ROSTER.filter(({ name, needs }) => {
  if (names !== undefined && name !== BASE && !names.includes(name)) return false;
  if (needs === undefined || installed(needs) !== undefined) return true;
  console.log(`${name} is left out: ${needs} is not installed (apps/bench/install-servers.sh)`);
  return false;
});

const cases = values.cases?.split(",") ?? (values.quick ? QUICK_CASES : undefined);
const isWanted = ({ name }: { readonly name: string }) => cases === undefined || cases.includes(name);
const seconds = Number(values.seconds ?? (values.quick ? 20 : 340));
const acts: readonly Act[] = [
  { connections: 1, cases: CASES.filter(isWanted), seconds: seconds * 0.87 },
  { connections: CROWD_SIZE, cases: CROWD_CASES.filter(isWanted), seconds: seconds * 0.13 },
].filter((act) => act.cases.length > 0);

const loadBefore = loadavg()[0] ?? 0;
const burstMs = Number(values["burst-ms"] ?? (values.quick ? 150 : 250));
const results = await conduct(entries, { burstMs, acts, onProgress: showProgress });
const loadAfter = loadavg()[0] ?? 0;
showProgress(1, "");

const titles = new Map(ROSTER.map(({ name, title }) => [name, title]));
const tables = [...tablesOf(titles, results.cells, results.memory), targetTable(titles, results.cells)];
const rounds = Math.max(...results.cells.filter(({ peer }) => peer !== BASE).map((cell) => cell.rounds));
const circumstances =
  `Measured on ${new Date().toISOString().slice(0, 10)} with Node ${process.version} on ${values.machine}, ` +
  `in up to ${rounds} rounds of ${burstMs} ms; ` +
  `load of the machine ${loadBefore.toFixed(1)} before and ${loadAfter.toFixed(1)} after.`;

for (const table of tables) console.log(asText(table));
for (const failure of results.failures) console.log(`left out on the way: ${failure}`);
console.log(circumstances);
if (values.page) writePage(circumstances, tables);
const json = JSON.stringify({ question: "compare", node: process.version, loadBefore, loadAfter, ...results });
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);

function showProgress(done: number, what: string): void {
  if (!process.stderr.isTTY) return;
  const filled = Math.round(done * 30);
  const bar = `${"█".repeat(filled)}${"░".repeat(30 - filled)} ${Math.round(done * 100)} %  ${what}`;
  process.stderr.write(`\r\x1b[K${done === 1 ? "" : bar}`);
}
