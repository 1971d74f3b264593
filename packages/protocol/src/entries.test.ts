// The two entries of this package: `.` is the wire and promises semver, `./internal` is for the packages of this repository.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const names = namesIn("index.ts");
const internal = namesIn("internal.ts");

test("the public entry has at most 40 names", () => {
  expect(names.length).toBeGreaterThan(20);
  expect(names.length).toBeLessThanOrEqual(40);
});

test("no name is in both entries", () => {
  expect(names.filter((name) => internal.includes(name))).toEqual([]);
});

function namesIn(file: string): string[] {
  const text = readFileSync(fileURLToPath(new URL(file, import.meta.url)), "utf8");
  expect(text).not.toContain("export *");
  const lists = [...text.matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, list = ""]) => list.split(","));
  return lists.map((name) => name.trim().replace(/^type /, "")).filter((name) => name !== "");
}
