// Every row of docs/explanation/promises.md links to tests that exist, by file and title. A promise with a limit states it
// after its tests: `**partly**: the limit.` Only promises of Picom or butler alone may be "planned".

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { titlesIn } from "./declarations.ts";
import { ROOT, textOf } from "./pages.ts";

const PAGE = "docs/explanation/promises.md";
const ROW = /^\| (\w+) \| (.+) \| ([\w, ]+) \| (.+) \|$/gm;
const LINK = /\[[^\]]+\]\(([^)]+)\) “([^”]+)”/g;
const LIMIT = / · \*\*partly\*\*: (.+\.)$/;
/** The rows that state a limit. */
const PARTLY = "A7 A8 A17 C29 C30 C31 C37 D30 D31 F7 F20 G7 G9 G10 G11 G12 G13".split(" ");

const titles = new Map<string, ReadonlySet<string>>();

const rows = [...textOf(PAGE).matchAll(ROW)]
  .map(([, id = "", promise = "", of = "", shownBy = ""]) => ({ id, promise, of: of.split(", "), shownBy }))
  .filter(({ of }) => of[0] !== "Of");

test("every row has a number of its own, and a known origin", () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  expect(new Set(rows.flatMap(({ of }) => of))).toEqual(new Set(["early", "late", "omdp", "picom", "butler"]));
  // Every line that looks like a row was read.
  expect(textOf(PAGE).match(/^\| [A-Z]\d+ /gm)).toHaveLength(rows.length);
});

test("only the known promises hold with a limit", () => {
  expect(rows.filter(({ shownBy }) => LIMIT.test(shownBy)).map(({ id }) => id)).toEqual(PARTLY);
});

describe.each(rows)("$id $promise", ({ of, shownBy }) => {
  if (shownBy === "planned") {
    test("is planned, because only Picom and butler have it", () => {
      expect(of.filter((origin) => !["picom", "butler"].includes(origin))).toEqual([]);
    });
    return;
  }
  const links = [...shownBy.matchAll(LINK)].map(([, path = "", title = ""]) => ({
    file: join(dirname(PAGE), path),
    title: title.replaceAll("\\|", "|"),
  }));

  test("names its tests", () => {
    expect(links.length).toBeGreaterThan(0);
    expect(shownBy.replace(LIMIT, "").replaceAll(LINK, "").replaceAll(" · ", "")).toBe("");
  });

  test.each(links)("is shown in $file by “$title”", ({ file, title }) => {
    expect(existsSync(join(ROOT, file))).toBe(true);
    const inFile = titles.get(file) ?? titlesIn(file);
    titles.set(file, inFile);
    expect([...inFile]).toContain(title);
  });
});
