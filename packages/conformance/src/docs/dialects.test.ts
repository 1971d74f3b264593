// A test over sockets names every clause of docs/reference/dialects.md, and the page has every clause that code or a test
// names.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { VERSIONS } from "../dialects/forms.ts";
import { ROOT, textOf } from "./pages.ts";

const PAGE = textOf("docs/reference/dialects.md");
const OVER_SOCKETS = "conformance/src/dialects/";
const CLAUSE = /\bD-[A-Z]+-\d+\b/g;
/** The first argument of a call of `test` or `describe`, or of the function that their `each` returns. */
const TITLE = /(?:^\s*(?:test|describe)(?:\.\w+)*|\))\(\s*(["'`])(.*?)\1,/gm;

const clauses = [...PAGE.matchAll(/^#### (D-[A-Z]+-\d+)$/gm)].map(([, clause = ""]) => clause);
const sources = readdirSync(join(ROOT, "packages"), { recursive: true, encoding: "utf8" })
  .filter((file) => /^[\w-]+\/src\/.*\.ts$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(ROOT, "packages", file), "utf8") }));

test("the page numbers its clauses without gaps or repetitions", () => {
  const counts = new Map<string, number>();
  for (const clause of clauses) {
    const [, group = "", number] = /^(D-[A-Z]+)-(\d+)$/.exec(clause) ?? [];
    expect(`${group}-${number}`).toBe(`${group}-${(counts.get(group) ?? 0) + 1}`);
    counts.set(group, Number(number));
  }
  expect(clauses.length).toBeGreaterThan(60);
});

test("the title of a test over sockets names each clause", () => {
  const named = new Set<string>();
  for (const { file, text } of sources) {
    if (!file.startsWith(OVER_SOCKETS) || !file.endsWith(".test.ts")) continue;
    for (const [, , title = ""] of text.matchAll(TITLE)) {
      for (const [clause] of title.matchAll(CLAUSE)) named.add(clause);
    }
  }
  expect(clauses.filter((clause) => !named.has(clause))).toEqual([]);
});

test("the page defines each clause that code, a test or the page names", () => {
  const named = [...sources, { file: "the page", text: PAGE }].flatMap(({ file, text }) =>
    [...text.matchAll(CLAUSE)].map(([clause]) => `${clause} in ${file}`),
  );
  expect(named.length).toBeGreaterThan(200);
  const known = new Set(clauses);
  expect(named.filter((line) => !known.has(line.split(" ")[0] ?? ""))).toEqual([]);
});

describe.each(VERSIONS)("$name", ({ name, request, partial, final, worker }) => {
  test("D-MDP-14: the page shows the frames that the tests write", () => {
    const body = ["service", "body…"];
    const answer = ["address", "''", "body…"];
    const inTests: Readonly<Record<string, readonly string[] | undefined>> = {
      "a client's request": [...request, ...body],
      "a partial to a client": partial && [...partial("service"), "body…"],
      "a final to a client": [...final("service"), "body…"],
      READY: [...worker.ready, "service"],
      "a request to a worker": [...worker.request, ...answer],
      "a worker's partial": worker.partial && [...worker.partial, ...answer],
      "a worker's final": [...worker.final, ...answer],
      HEARTBEAT: worker.heartbeat,
      DISCONNECT: worker.disconnect,
    };
    const [, rows = ""] = /#### D-MDP-14\n.*?\| --- \| --- \| --- \|\n(.*?)\n\n/s.exec(PAGE) ?? [];
    const onPage = rows.split("\n").map((row) => row.split("|").map((cell) => cell.trim().replaceAll("`", "")));
    const column = name === "mdp01" ? 2 : 3;
    expect(Object.fromEntries(onPage.map((cells) => [cells[1], cells[column]]))).toEqual(
      Object.fromEntries(Object.entries(inTests).map(([message, frames]) => [message, shown(frames)])),
    );
  });
});

/** The frames in the notation of the page. */
function shown(frames: readonly string[] | undefined): string {
  if (frames === undefined) return "–";
  return frames.map((frame) => (frame === "" ? "''" : frame < " " ? `0${frame.charCodeAt(0)}` : frame)).join(" ");
}
