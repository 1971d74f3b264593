// The pages and charts show the saved results: no figure is written by hand, and no results are saved without the pages.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { DOCS, readResults } from "../records/records.ts";
import { generatedFiles } from "./page.ts";
import { COLORS } from "./svg.ts";
import { targetsOf } from "./targets.ts";

const results = readResults();
const files = await generatedFiles(results);

test.each([...files.keys()])("docs/%s is what `pnpm bench page` generates", (path) => {
  expect(readFileSync(new URL(path, DOCS), "utf8")).toBe(files.get(path));
});

test("generating twice gives the same files", async () => {
  expect(await generatedFiles(results)).toEqual(files);
});

test("every measured peer is in the tables and in the chart of rates", () => {
  const titles = [
    "pigato, call()",
    "npm pigato@0.0.46",
    "NATS, one inbox by hand",
    "byte relay on node:net (the limit)",
  ];
  for (const title of titles) {
    expect(files.get("benchmarks/rates.svg")).toContain(title);
    expect(files.get("benchmarks/index.md")?.replaceAll("`", "")).toContain(`| ${title} |`);
  }
});

test("the summary names a system that was not measured", async () => {
  const { compare } = results;
  const versions = Object.fromEntries(Object.entries(compare.versions).filter(([peer]) => peer !== "redis"));

  const pages = await generatedFiles({ ...results, compare: { ...compare, versions } });

  expect(pages.get("../README.md")).toMatch(/ of other systems \(without Redis, lists.*: not measured\):/);
});

test.each([...files.keys()].filter((path) => path.endsWith(".svg")))(
  "%s uses only colors that have a variant for dark backgrounds",
  (path) => {
    const used = [...(files.get(path) ?? "").matchAll(/(?:fill|stroke)="(#\w+)"/g)].map(([, color]) => color);
    expect(used.length).toBeGreaterThan(20);
    expect([...new Set(used)].filter((color) => !Object.values(COLORS).includes(color ?? ""))).toEqual([]);
  },
);

describe("a target", () => {
  const targetWith = (median: number | undefined) => {
    const { compare } = results;
    const changed = compare.results.flatMap((result) => {
      if (result.peer !== "relay" || result.caseName !== "20 B × 1") return [result];
      return median === undefined ? [] : [{ ...result, ratio: { low: 0.1, median, high: 9 } }];
    });
    const targets = targetsOf({ ...results, compare: { ...compare, results: changed } });
    return targets.find(({ what, at }) => what.includes("byte relay") && at === "20 B × 1");
  };

  test.each([
    ["is met by the exact figure", 0.7, { measured: "0.70", quartiles: "0.10–9.00", isMet: true }],
    ["is not met by a smaller figure", 0.69, { measured: "0.69", quartiles: "0.10–9.00", isMet: false }],
    ["is neither without a figure", undefined, { measured: "–", quartiles: "–", isMet: undefined }],
  ])("%s", (_title, median, expected) => {
    expect(targetWith(median)).toMatchObject({ wanted: "≥ 0.7", ...expected });
  });

  test("for the growth of the cost judges the largest broker along each axis", () => {
    const growth = targetsOf(results).filter(({ what }) => what.startsWith("growth"));
    expect(growth.map(({ at }) => at)).toEqual([
      ...["1,000 workers", "10,000 services", "100,000 queued requests"],
      ...["1,000 workers", "5,000 services", "100,000 queued requests"],
    ]);
  });
});
