import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { argumentsFor, bundleOf, ROOT } from "./programs.ts";
import { compileSnippet } from "./snippets.ts";

test("a program runs from its bundle, with the files of its source", () => {
  const source = join(ROOT, "packages/broker/src/bin.ts");
  const bundle = bundleOf(source);
  expect(argumentsFor(source)).toEqual(["--enable-source-maps", bundle]);
  // It reads the version from a file that it finds by `import.meta.url`.
  const version = execFileSync(process.execPath, [...argumentsFor(source), "--version"], { encoding: "utf8" });
  expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("a source that is no program has no bundle", () => {
  expect(bundleOf(join(ROOT, "packages/broker/src/run.ts"))).toBeUndefined();
  expect(argumentsFor("missing.ts").at(-1)).toBe("missing.ts");
});

test("a snippet imports the bundles of our packages, and other packages by name", () => {
  const imports = [
    'import { Broker } from "@pigato/broker";',
    'import pino, { type Level } from "pino";',
    'const { Client } = await import("@pigato/client");',
    'const PIGATO = require("pigato");',
    'const level: Level = "pigato/broker";',
    "use(Broker, pino, Client, PIGATO, level);",
  ];
  const compiled = compileSnippet(imports.join("\n"));
  const [broker = "", client = ""] = compiled.match(/file:[^"]*/g) ?? [];
  expect(broker).toContain("/packages/broker/src/index.js");
  expect(client).toContain("/packages/client/src/index.js");
  expect([broker, client].map((url) => existsSync(fileURLToPath(url)))).toEqual([true, true]);
  const [, classic = ""] = /require\("([^"]*)"\)/.exec(compiled) ?? [];
  expect(classic).toContain("/packages/pigato/src/index.cjs");
  expect(compiled).toContain('from "pino"');
  expect(compiled).toContain('const level = "pigato/broker"');
});
