// Every clause of docs/reference/dialects.md is shown by a test that names it, and every clause that code or a test names
// is there.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

const PAGE = "docs/reference/dialects.md";
/** The rules of our own client and worker at the brokers of others. */
const PEERS_PAGE = "docs/decisions/0013-majordomo-peers.md";
const CLAUSE = /\bD-(?:[A-Z]+)-\d+\b/g;
const TITLE = /^\s*(?:test|describe)[\s\S]*?\(\s*["'`]([^"'`]*)["'`]/gm;

const clauses = [...textOf(PAGE).matchAll(/^#### (D-[A-Z]+-\d+)$/gm)].map(([, clause = ""]) => clause);
const sources = readdirSync(join(ROOT, "packages"), { recursive: true, encoding: "utf8" })
  .filter((file) => /^[\w-]+\/src\/.*\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, "packages", file), "utf8") }));

test("its clauses are numbered without gaps or repetitions", () => {
  const counts = new Map<string, number>();
  for (const clause of clauses) {
    const [, group = "", number] = /^(D-[A-Z]+)-(\d+)$/.exec(clause) ?? [];
    expect(`${group}-${number}`).toBe(`${group}-${(counts.get(group) ?? 0) + 1}`);
    counts.set(group, Number(number));
  }
  expect(clauses.length).toBeGreaterThan(40);
});

test("each is named by the title of a test", () => {
  const named = new Set<string>();
  for (const { file, text } of sources) {
    if (!file.endsWith(".test.ts")) continue;
    for (const [, title = ""] of text.matchAll(TITLE)) for (const [clause] of title.matchAll(CLAUSE)) named.add(clause);
  }
  expect(clauses.filter((clause) => !named.has(clause))).toEqual([]);
});

test("each that code or a test names is there", () => {
  const named = sources.flatMap(({ file, text }) =>
    [...text.matchAll(CLAUSE)].map(([clause]) => `${clause} in ${file}`),
  );
  expect(named.length).toBeGreaterThan(100);
  const peers = [...textOf(PEERS_PAGE).matchAll(/^\d+\. (D-PEER-\d+)\. /gm)].map(([, clause = ""]) => clause);
  const known = new Set([...clauses, ...peers]);
  expect(named.filter((line) => !known.has(line.split(" ")[0] ?? ""))).toEqual([]);
});
