// The architecture page names the files of the broker that a request passes. A real request confirms the list.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

const BROKER = "packages/broker/src/";
const PROGRAM = "packages/conformance/src/docs/request-path-main.ts";

const page = textOf("docs/explanation/architecture.md");
const section = page.split(/^## The path of a request$/m)[1]?.split(/^## /m)[0] ?? "";
const passed = [...section.matchAll(/^\| \d+ \| `([\w/-]+\.ts)` \|/gm)].map(([, file = ""]) => BROKER + file);
const named = [...page.matchAll(/`(packages\/[\w/.-]+\.ts)`/g)].map(([, file = ""]) => file);

test("every file that the page names exists", () => {
  expect([...passed, ...named].filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  expect(named.length).toBeGreaterThan(5);
});

test("a request passes at most 25 files of the broker, each named once", () => {
  expect(passed.length).toBeGreaterThan(10);
  expect(passed.length).toBeLessThanOrEqual(25);
  expect(new Set(passed).size).toBe(passed.length);
});

test("a real request runs functions of the named files of the broker, and of no others", {
  timeout: 60_000,
}, async () => {
  const args = ["--conditions=@pigato/source", "--import", "tsx", PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 50_000 });
  const ran = stdout.split("\n").filter((file) => file.startsWith(BROKER));
  expect(ran).toEqual([...passed].sort());
});
