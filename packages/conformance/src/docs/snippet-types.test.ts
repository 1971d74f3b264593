// The programs in TypeScript of each page have no type errors.

import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { pages, ROOT, textOf } from "./pages.ts";

const TSC = join(ROOT, "node_modules/.bin/tsc");
const OPTIONS = {
  noEmit: true,
  composite: false,
  isolatedDeclarations: false,
  customConditions: ["@pigato/source"],
};

/** By file name. */
type Sources = ReadonlyMap<string, string>;

const typed = pages()
  .map((page) => ({ page, sources: sourcesOf(textOf(page)) }))
  .filter(({ sources }) => sources.size > 0);

test("there are programs in TypeScript", () => {
  expect(typed.map(({ page }) => page)).toContain("docs/tutorials/first-service.md");
});

test.each(typed)("the programs of $page have no type errors", { timeout: 120_000 }, async ({ page, sources }) => {
  expect(await errorsOf(page, sources)).toBe("");
});

test("a type error is found", { timeout: 120_000 }, async () => {
  const wrong = new Map([["wrong.ts", 'export const price: number = "7";\n']]);
  expect(await errorsOf("wrong", wrong)).toContain("wrong.ts(1,14): error TS2322");
});

/** What the compiler prints. */
async function errorsOf(page: string, sources: Sources): Promise<string> {
  // Next to the links of the packages, so that the programs import what a user's program would import.
  const folder = join(ROOT, "packages/conformance", `.snippet-types-${page.replaceAll(/\W/g, "-")}`);
  mkdirSync(folder, { recursive: true });
  try {
    for (const [file, code] of sources) writeFileSync(join(folder, file), code);
    const config = { extends: "../../../tsconfig.base.json", compilerOptions: OPTIONS, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const { stdout } = await promisify(execFile)(TSC, ["-p", folder, "--pretty", "false"]).catch(
      (error: { readonly stdout: string }) => error,
    );
    return stdout;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sourcesOf(text: string): Sources {
  const sources = new Map<string, string>();
  for (const { 1: word = "", 2: code = "", index } of text.matchAll(/^```ts(?: ([\w.-]+))?\n(.*?)^```$/gms)) {
    const line = text.slice(0, index).split("\n").length;
    sources.set(word.endsWith(".ts") ? word : `line-${line}.ts`, code);
  }
  return sources;
}
