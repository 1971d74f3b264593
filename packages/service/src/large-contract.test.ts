// What the types of a large contract cost the compiler, as a count, which does not depend on the machine. 200 methods with 1,200
// instantiations each take half a second of a core.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";

const PACKAGE = join(import.meta.dirname, "..");
const TSC = join(PACKAGE, "../../node_modules/.bin/tsc");
const MAX_INSTANTIATIONS_PER_METHOD = 1_500;

// Below the package, so that its dependencies are found.
const folder = mkdtempSync(join(PACKAGE, "node_modules/.large-contract-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a contract of 200 methods costs the compiler little for each method", { timeout: 120_000 }, async () => {
  const few = await instantiations(20);
  const many = await instantiations(200);
  expect((many - few) / 180).toBeLessThan(MAX_INSTANTIATIONS_PER_METHOD);
});

async function instantiations(methods: number): Promise<number> {
  writeFileSync(join(folder, "large.ts"), programWith(methods));
  const compilerOptions = { noEmit: true, composite: false, isolatedDeclarations: false, declaration: false };
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(PACKAGE, "../../tsconfig.base.json"),
      compilerOptions: { ...compilerOptions, customConditions: ["@pigato/source"] },
      files: ["large.ts"],
    }),
  );
  const { stdout } = await promisify(execFile)(TSC, ["-p", folder, "--extendedDiagnostics"]);
  return Number(/^Instantiations:\s+(\d+)$/m.exec(stdout)?.[1]);
}

/** A contract, its handlers and a call of each method. Every fourth method streams. */
function programWith(methods: number): string {
  const lines = (line: (index: number, isStream: boolean) => string): string =>
    Array.from({ length: methods }, (_, index) => line(index, index % 4 === 3)).join("\n");
  const input = "z.object({ id: z.string(), n: z.number() })";
  return `
import type { Client } from "@pigato/client";
import { type Host, serverStream, service, unary } from "@pigato/service";
import { z } from "zod";

const LARGE = service("large", {
${lines((index, isStream) =>
  isStream
    ? `m${index}: serverStream({ input: ${input}, chunk: z.object({ v${index}: z.number() }) }),`
    : `m${index}: unary({ input: ${input}, output: z.object({ v${index}: z.number() }), errors: { E${index}: z.string() } }),`,
)}
});

export function serve(host: Host): void {
  host.serve(LARGE, {
${lines((index, isStream) =>
  isStream
    ? `m${index}: async function* ({ n }) { yield { v${index}: n }; },`
    : `m${index}: async ({ id, n }, ctx) => (n > 0 ? { v${index}: n } : ctx.fail("E${index}", id)),`,
)}
  });
}

export async function use(client: Client): Promise<number> {
  const api = client.of(LARGE);
  let total = 0;
${lines((index, isStream) =>
  isStream
    ? `for await (const chunk of api.m${index}({ id: "a", n: 1 })) total += chunk.v${index};`
    : `total += (await api.m${index}({ id: "a", n: 1 })).v${index};`,
)}
  return total;
}
`;
}
