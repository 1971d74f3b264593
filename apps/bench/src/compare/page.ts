// The page of the docs that shows the last full run: its prose is written by hand, its figures by the run.

import { readFileSync, writeFileSync } from "node:fs";
import { asMarkdown, type Table } from "./table.ts";

/** From source and as built alike. */
const PAGE = new URL("../../../../docs/explanation/performance.md", import.meta.url);
const BEGIN = "<!-- figures: written by `pnpm bench compare --page` -->";
const END = "<!-- end of figures -->";

export function writePage(circumstances: string, tables: readonly Table[]): void {
  const page = readFileSync(PAGE, "utf8");
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END);
  if (begin < 0 || end < begin) throw new Error("the page has no place for figures");
  const figures = [circumstances, ...tables.map(asMarkdown)].map((part) => `${part.trimEnd()}\n`).join("\n");
  writeFileSync(PAGE, `${page.slice(0, begin)}${BEGIN}\n\n${figures}\n${page.slice(end)}`);
}
