import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { findTools, missingLines } from "./find-tools.ts";

const folder = mkdtempSync(join(tmpdir(), "pigato-tools-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A folder for PATH with a program that only exits with a code. */
function folderWith(program: string, exitCode: number): string {
  const bin = mkdtempSync(join(folder, "bin-"));
  writeFileSync(join(bin, program), `#!/bin/sh\nexit ${exitCode}\n`, { mode: 0o755 });
  return bin;
}

test("the search finds nothing on an empty PATH", async () => {
  expect(await findTools({ PATH: folder })).toEqual({ python: null, c: null, chromium: null });
});

test("the search passes over a Python without pyzmq and a compiler without libzmq", async () => {
  const python = folderWith("python3", 0);
  const PATH = [folderWith("python3", 1), folderWith("gcc", 1), python].join(delimiter);
  expect(await findTools({ PATH })).toEqual({ python: join(python, "python3"), c: null, chromium: null });
});

test("PIGATO_PYTHON and CHROMIUM_PATH come before PATH", async () => {
  const named = join(folderWith("my-python", 0), "my-python");
  const PATH = [folderWith("python3", 0), folderWith("chromium", 0)].join(delimiter);
  const tools = await findTools({ PATH, PIGATO_PYTHON: named, CHROMIUM_PATH: "/opt/browser" });
  expect(tools).toEqual({ python: named, c: null, chromium: "/opt/browser" });
});

test("the report has one line per missing tool and names what to install", () => {
  const tools = { python: null, c: null, chromium: null };
  expect(missingLines(tools, false)).toEqual([
    expect.stringMatching(/^Suites with Python peers are skipped: .*python3-zmq/),
    expect.stringMatching(/^Suites with C peers are skipped: .*libzmq3-dev/),
    expect.stringMatching(/^Suites with a browser are skipped: .*chromium/),
  ]);
  expect(missingLines({ ...tools, c: "/usr/bin/gcc", chromium: "/usr/bin/chromium" }, true)).toEqual([
    expect.stringMatching(/^Suites with Python peers fail: /),
  ]);
});
