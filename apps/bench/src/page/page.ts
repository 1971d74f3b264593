// The page of the docs that shows the last runs: its prose is written by hand, its figures and pictures are made from the
// records beside it. `pnpm bench page` makes them anew; a test holds them to it.

import { readFileSync, writeFileSync } from "node:fs";
import { peersOf, tablesOf } from "../compare/tables.ts";
import { asSentence, type Circumstances } from "../records/circumstances.ts";
import { FOLDER, type Records, readRecords } from "../records/records.ts";
import { asMarkdown, NONE, type Table } from "../table.ts";
import { charts } from "./charts.ts";
import { profileTables } from "./profile-tables.ts";
import { brokerTables, coreTables, dialectTables } from "./scale-tables.ts";
import { verdictTable } from "./verdicts.ts";

const PAGE = "index.md";

/** All that is made, by the name of the file in docs/benchmarks. */
export async function pageFiles(records: Records): Promise<ReadonlyMap<string, string>> {
  const page = readFileSync(new URL(PAGE, FOLDER), "utf8");
  return new Map([[PAGE, withFigures(page, records)], ...Object.entries(await charts(records))]);
}

export async function writePage(): Promise<void> {
  for (const [name, text] of await pageFiles(readRecords())) writeFileSync(new URL(name, FOLDER), text);
}

/** @throws Error if the page has no place for some figures, or one for figures that are none */
function withFigures(page: string, records: Records): string {
  const { compare, core, broker, dialects, profile } = records;
  const left = new Map([
    ["verdicts", asMarkdown(verdictTable(records))],
    ["compare", figures(compare.circumstances, tablesOf(compare.cells, compare.memory))],
    ["versions", asMarkdown(versionsTable(compare))],
    ["core", figures(core.circumstances, coreTables(core))],
    ["broker", figures(broker.circumstances, brokerTables(broker))],
    ["profile", figures(profile.circumstances, profileTables(profile))],
    ["dialects", figures(dialects.circumstances, dialectTables(dialects))],
  ]);
  const written = page.replaceAll(/(<!-- figures: (\w+) -->\n).*?(<!-- end -->)/gs, (_all, begin, name, end) => {
    const text = left.get(name);
    if (text === undefined) throw new Error(`the page has a place for ${name}, once too often`);
    left.delete(name);
    return `${begin}\n${text}\n${end}`;
  });
  if (left.size > 0) throw new Error(`the page has no place for ${[...left.keys()].join(", ")}`);
  return written;
}

function figures(circumstances: Circumstances, tables: readonly Table[]): string {
  return [`\`${circumstances.command}\`\n`, `${asSentence(circumstances)}\n`, ...tables.map(asMarkdown)].join("\n");
}

function versionsTable({ cells, versions, missing }: Records["compare"]): Table {
  const rows = peersOf(cells).map(({ name, title }) => [title, versions[name] || NONE]);
  return {
    title: missing.length === 0 ? "What ran" : `What ran (without ${missing.join(", ")}, whose servers were not there)`,
    names: 2,
    rows: [["", "versions"], ...rows],
  };
}
