// What the page of the benchmarks shows is what the records beside it hold: nobody has written a figure by hand, and no
// run has been kept without the page.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FOLDER, readRecords } from "../records/records.ts";
import { pageFiles } from "./page.ts";
import { COLORS } from "./svg.ts";
import { verdictTable } from "./verdicts.ts";

const records = readRecords();
const files = await pageFiles(records);

test.each([...files.keys()])("%s is what the records give: `pnpm bench page` makes it so", (name) => {
  expect(readFileSync(new URL(name, FOLDER), "utf8")).toBe(files.get(name));
});

test("everyone who was measured is in the tables and in the chart of rates", () => {
  const titles = [
    "pigato, call()",
    "npm pigato@0.0.46",
    "NATS, one inbox by hand",
    "byte relay on node:net (the limit)",
  ];
  for (const title of titles) {
    expect(files.get("rates.svg")).toContain(title);
    expect(files.get("index.md")?.replaceAll("`", "")).toContain(`| ${title} |`);
  }
});

test.each([...files.keys()].filter((name) => name.endsWith(".svg")))(
  "%s has no color that is not there for a dark ground, too",
  (name) => {
    const drawn = [...(files.get(name) ?? "").matchAll(/(?:fill|stroke)="(#\w+)"/g)].map(([, color]) => color);
    expect(drawn.length).toBeGreaterThan(20);
    expect([...new Set(drawn)].filter((color) => !Object.values(COLORS).includes(color ?? ""))).toEqual([]);
  },
);

describe("a verdict", () => {
  const verdictOn = (median: number | undefined) => {
    const { compare } = records;
    const cells = compare.cells.flatMap((cell) => {
      if (cell.peer !== "relay" || cell.what !== "20 B × 1") return [cell];
      return median === undefined ? [] : [{ ...cell, ratio: { low: 0.1, median, high: 9 } }];
    });
    const { rows } = verdictTable({ ...records, compare: { ...compare, cells } });
    return rows.find(([what, at]) => what?.includes("byte relay") && at === "20 B × 1")?.slice(2);
  };

  test.each([
    ["met by the very figure", 0.7, ["≥ 0.7", "0.70", "0.10–9.00", "met"]],
    ["not met by less", 0.69, ["≥ 0.7", "0.69", "0.10–9.00", "**not met**"]],
    ["neither where nothing was measured", undefined, ["≥ 0.7", "–", "–", "not measured"]],
  ])("is %s", (_what, median, row) => {
    expect(verdictOn(median)).toEqual(row);
  });

  test("on what a request costs is of the largest broker of each kind", () => {
    const { rows } = verdictTable(records);
    expect(rows.filter(([what]) => what?.startsWith("cost")).map(([, at]) => at)).toEqual([
      ...["1,000 workers", "10,000 services", "100,000 queued requests"],
      ...["1,000 workers", "5,000 services", "100,000 queued requests"],
    ]);
  });
});
