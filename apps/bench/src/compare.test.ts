// The comparison in its shortest form: one tiny burst per case, with one other peer.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { argumentsFor } from "@pigato/testkit/programs";
import { expect, test } from "vitest";
import type { CompareResult, RunInfo } from "./records/record-types.ts";

const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));
const CASES = ["20 B × 100", "partials"];

test("the comparison measures every selected peer in every selected case", { timeout: 120_000 }, async () => {
  const args = ["--only", "zeromq", "--cases", CASES.join(","), "--seconds", "0", "--burst-ms", "10"];
  const { stdout } = await bench("compare", ...args);
  const record: CompareResult & { readonly run: RunInfo } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");

  expect(record.failures).toEqual([]);
  expect(record.run).toMatchObject({ node: process.version, machine: expect.stringContaining("cores") });
  expect(record.versions.zeromq).toMatch(/^zeromq 6\.\d+\.\d+/);
  for (const caseName of CASES) {
    const results = record.results.filter((result) => result.caseName === caseName);
    expect(results.map(({ peer }) => peer).toSorted()).toEqual(["pigato call", "zeromq"]);
    for (const { perSecond, ratio, lost } of results) {
      expect(perSecond.median).toBeGreaterThan(0);
      expect(ratio?.median).toBeGreaterThan(0);
      expect(lost).toBe(0);
    }
  }
  expect(record.memory.map(({ peer }) => peer).toSorted()).toEqual(["pigato call", "zeromq"]);
});

test("the help lists every command, and an unknown command is an error", { timeout: 60_000 }, async () => {
  const { stdout } = await bench("--help");
  for (const name of ["compare", "against", "core", "broker", "dialects", "profile", "frames", "transport", "record"]) {
    expect(stdout).toMatch(new RegExp(`^  ${name} .*\\n {6}[A-Z].*\\.$`, "m"));
  }
  await expect(bench("compete")).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('unknown command "compete"'),
  });
});

function bench(...args: readonly string[]) {
  return promisify(execFile)(process.execPath, [...argumentsFor(PROGRAM), ...args], { timeout: 110_000 });
}
