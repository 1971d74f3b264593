// Reads and writes the results of the last full run, beside the page that shows them.

import { readFileSync, writeFileSync } from "node:fs";
import type { Results } from "./record-types.ts";

/** The same from source and from the build. */
export const DOCS: URL = new URL("../../../../docs/", import.meta.url);
const FILE = new URL("benchmarks/results.json", DOCS);

export function readResults(): Results {
  return JSON.parse(readFileSync(FILE, "utf8"));
}

export function writeResults(results: Results): void {
  writeFileSync(FILE, asLines(results));
}

/** JSON with one line per list item and four significant digits per figure, so that the diff of a new run is readable. */
export function asLines(value: object, indent = ""): string {
  const parts = Object.entries(value).map(
    ([key, part]: [string, unknown]) => `${indent}${JSON.stringify(key)}: ${text(part, indent)}`,
  );
  return `{\n${parts.join(",\n")}\n${indent === "" ? "}\n" : `${indent.slice(1)}}`}`;
}

function text(value: unknown, indent: string): string {
  if (Array.isArray(value)) return `[\n${value.map((item) => `${indent} ${rounded(item)}`).join(",\n")}\n${indent}]`;
  const isNested = typeof value === "object" && value !== null && Object.values(value).some(Array.isArray);
  return isNested ? asLines(value, `${indent} `) : rounded(value);
}

function rounded(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "number" && !Number.isInteger(part) ? Number(part.toPrecision(4)) : part,
  );
}
