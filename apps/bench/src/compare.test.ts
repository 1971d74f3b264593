// The comparison in its shortest form: one tiny burst for each case, against one other peer.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { CompareRecord } from "./records/shapes.ts";

const SOURCES = ["--conditions=@pigato/source", "--import", "tsx"];
const CASES = ["20 B × 100", "partials"];

test("the comparison measures every peer it is asked for in every case", { timeout: 120_000 }, async () => {
  const program = fileURLToPath(new URL("compare.ts", import.meta.url));
  const args = ["--only", "zeromq", "--cases", CASES.join(","), "--seconds", "0", "--burst-ms", "10"];
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCES, program, ...args], { timeout: 110_000 });
  const results: CompareRecord = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");

  expect(results.failures).toEqual([]);
  expect(results.circumstances).toMatchObject({ node: process.version, machine: expect.stringContaining("cores") });
  expect(results.versions.zeromq).toMatch(/^zeromq 6\.\d+\.\d+/);
  for (const what of CASES) {
    const cells = results.cells.filter((cell) => cell.what === what);
    expect(cells.map(({ peer }) => peer).toSorted()).toEqual(["pigato call", "zeromq"]);
    for (const { perSecond, ratio, lost } of cells) {
      expect(perSecond.median).toBeGreaterThan(0);
      expect(ratio?.median).toBeGreaterThan(0);
      expect(lost).toBe(0);
    }
  }
  expect(results.memory.map(({ peer }) => peer).toSorted()).toEqual(["pigato call", "zeromq"]);
});
