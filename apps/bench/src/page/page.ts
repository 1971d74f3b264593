// `pnpm bench page`: writes the generated blocks of the docs and the charts from the saved results. The prose of a page is
// written by hand; a test checks that its figures are those of the results.

import { readFileSync, writeFileSync } from "node:fs";
import { PEERS } from "../compare/peers.ts";
import { cpuTable, peersOf, processTable, ratesTable, ratiosTable, resultOf } from "../compare/tables.ts";
import type { CompareResult, Results } from "../records/record-types.ts";
import { DOCS, readResults } from "../records/records.ts";
import { describeRun } from "../records/run-info.ts";
import { asMarkdown, decimals, NONE, type Table, thousands } from "../table.ts";
import { charts } from "./charts.ts";
import { profileTables } from "./profile-tables.ts";
import { brokerTable, coreTables, dialectTable } from "./scale-tables.ts";
import { metTable, unmetTable } from "./targets.ts";

const PAGES = ["benchmarks/index.md", "explanation/performance.md", "../README.md"] as const;

export async function run(): Promise<void> {
  await writePages();
}

export async function writePages(): Promise<void> {
  for (const [path, text] of await generatedFiles(readResults())) writeFileSync(new URL(path, DOCS), text);
}

/** Contents of all generated files, by their path in docs. */
export async function generatedFiles(results: Results): Promise<ReadonlyMap<string, string>> {
  const blocks = blocksOf(results);
  const used = new Set<string>();
  const pages = PAGES.map((path) => [path, fillBlocks(path, blocks, used)] as const);
  const unused = [...blocks.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`no page has a block for ${unused.join(", ")}`);
  const svgs = Object.entries(await charts(results)).map(([name, svg]) => [`benchmarks/${name}`, svg] as const);
  return new Map([...pages, ...svgs]);
}

function blocksOf(results: Results): ReadonlyMap<string, string> {
  const { run: info, compare, core, broker, dialects, profile } = results;
  const { sizes, names, memory } = coreTables(core);
  return new Map([
    ["run", `${describeRun(info)}\n\n\`\`\`sh\n${info.command}\n\`\`\`\n`],
    ["summary", asMarkdown(summaryTable(compare))],
    ["rates", asMarkdown(ratesTable(compare.results))],
    ["ratios", asMarkdown(ratiosTable(compare.results))],
    ["cpu", asMarkdown(cpuTable(compare.results))],
    ["processes", asMarkdown(processTable(compare.results, compare.memory))],
    ["core", asMarkdown(sizes)],
    ["names", asMarkdown(names)],
    ["memory", asMarkdown(memory)],
    ["broker", asMarkdown(brokerTable(broker))],
    ["dialects", asMarkdown(dialectTable(dialects))],
    ["profile", profileTables(profile).map(asMarkdown).join("\n")],
    ["versions", asMarkdown(versionsTable(compare))],
    ["unmet", asMarkdown(unmetTable(results))],
    ["met", asMarkdown(metTable(results))],
  ]);
}

/** @throws Error if the page has a block that does not exist */
function fillBlocks(path: string, blocks: ReadonlyMap<string, string>, used: Set<string>): string {
  const page = readFileSync(new URL(path, DOCS), "utf8");
  return page.replaceAll(/(<!-- figures: (\w+) -->\n).*?(<!-- end -->)/gs, (_all, begin, name, end) => {
    const text = blocks.get(name);
    if (text === undefined) throw new Error(`docs/${path} has a block "${name}", which does not exist`);
    used.add(name);
    return `${begin}\n${text}\n${end}`;
  });
}

const SUMMARY_PEERS = [
  "pigato 0.0.46",
  "nats",
  "nats tuned",
  "moleculer tcp",
  "grpc",
  "http",
  "rabbitmq",
  "redis",
  "bullmq",
  "zeromq",
];
const SUMMARY_CASES = ["20 B × 1", "20 B × 100", "20 B × 1000", "partials", "200 clients"];

/** PIGATO's rates, and how many times as fast it is as each of a few peers. */
function summaryTable({ results, versions }: CompareResult): Table {
  const base = results.filter(({ peer }) => peer === "pigato call");
  const rates = SUMMARY_CASES.map((caseName) => base.find((result) => result.caseName === caseName)?.perSecond.median);
  const rows = peersOf(results)
    .filter(({ name }) => SUMMARY_PEERS.includes(name) && versions[name] !== undefined)
    .map(({ name, title }) => [
      `ratio to ${title}`,
      ...SUMMARY_CASES.map((caseName) => decimals(resultOf(results, name, caseName)?.ratio?.median, 2)),
    ]);
  const unmeasured = PEERS.filter(({ name }) => SUMMARY_PEERS.includes(name) && versions[name] === undefined);
  const without =
    unmeasured.length === 0 ? "" : ` (without ${unmeasured.map(({ title }) => title).join("; ")}: not measured)`;
  return {
    title: `Requests, or partials, per second of PIGATO, and its speed divided by that of other systems${without}`,
    rows: [
      ["", ...SUMMARY_CASES],
      ["PIGATO, per second", ...rates.map((rate) => (rate === undefined ? NONE : thousands(rate)))],
      ...rows,
    ],
  };
}

function versionsTable({ results, versions, missing }: CompareResult): Table {
  const rows = peersOf(results).map(({ name, title }) => [title, versions[name] || NONE]);
  const skipped = missing.length === 0 ? "" : ` (without ${missing.join(", ")}: server not installed)`;
  return { title: `Versions${skipped}`, names: 2, rows: [["", "versions"], ...rows] };
}
