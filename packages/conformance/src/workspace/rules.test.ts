// The rules that tools enforce, tested with the real settings on a small tree that violates them.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const PLUGINS = [".ci/no-randomness.grit", ".ci/no-late-timers.grit", ".ci/no-instanceof.grit"];
const SETTINGS = ["biome.json", ...PLUGINS, "pure.d.ts", "package.json"];
const CONFIGS = ["tsconfig.base.json", "tsconfig.check.json", "tsconfig.pure.json"];

let tree = "";

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "pigato-rules-"));
  for (const file of [...SETTINGS, ...CONFIGS]) cpSync(join(ROOT, file), join(tree, file));
  for (const name of [
    "protocol",
    "contract",
    "transport",
    "peer",
    "broker",
    "worker",
    "client",
    "core-service",
    "directory",
    "pigato",
    "service",
  ]) {
    const manifest = `packages/${name}/package.json`;
    mkdirSync(join(tree, dirname(manifest)), { recursive: true });
    cpSync(join(ROOT, manifest), join(tree, manifest));
  }
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

describe("lint", () => {
  test.each([
    ["protocol imports no I/O", "packages/protocol/src/x.ts", 'import net from "node:net";\nexport const x = net;\n'],
    ["protocol knows no transport", "packages/protocol/src/x.ts", 'export { libzmq } from "@pigato/transport";\n'],
    ["a contract knows no client", "packages/contract/src/x.ts", 'export { Client } from "@pigato/client";\n'],
    ["transport knows no PIGATO", "packages/transport/src/x.ts", 'export { pigato } from "@pigato/protocol";\n'],
    [
      "transport imports no entry of another package",
      "packages/transport/src/x.ts",
      'export { Deadlines } from "@pigato/protocol/internal";\n',
    ],
    ["peer imports no package built on it", "packages/peer/src/x.ts", 'export { Client } from "@pigato/client";\n'],
    ["the broker knows no client", "packages/broker/src/x.ts", 'export { Client } from "@pigato/client";\n'],
    ["the worker knows no broker", "packages/worker/src/x.ts", 'export { Broker } from "@pigato/broker";\n'],
    ["the client knows no worker", "packages/client/src/x.ts", 'export { Worker } from "@pigato/worker";\n'],
    ["a host knows no broker", "packages/service/src/x.ts", 'export { Broker } from "@pigato/broker";\n'],
    ["pigato imports no transport", "packages/pigato/src/x.ts", 'export { libzmq } from "@pigato/transport";\n'],
    ["a core service knows no broker", "packages/core-service/src/x.ts", 'export { Broker } from "@pigato/broker";\n'],
    ["the directory knows no client", "packages/directory/src/x.ts", 'export { Client } from "@pigato/client";\n'],
    ["only the transport uses zeromq", "packages/client/src/x.ts", 'export { Dealer } from "zeromq";\n'],
    ["the core reads no clock", "packages/broker/src/core/x.ts", "export const x: number = Date.now();\n"],
    ["the core throws no dice", "packages/broker/src/core/x.ts", "export const x: number = Math.random();\n"],
    ["sessions read no clock", "packages/client/src/session/x.ts", "export const x: number = Date.now();\n"],
    ["shells use no global timer", "packages/broker/src/x.ts", "setTimeout(() => {}, 1);\n"],
    ["shells read no replaceable clock", "packages/transport/src/x.ts", "export const x: number = Date.now();\n"],
    ["shells use no replaceable nextTick", "packages/worker/src/x.ts", "process.nextTick(() => {});\n"],
    [
      "shells import no timers",
      "packages/client/src/x.ts",
      'import { setImmediate } from "node:timers/promises";\nexport const x = setImmediate;\n',
    ],
    [
      "no check depends on the realm",
      "packages/worker/src/x.ts",
      "export const isError = (value: unknown): boolean => value instanceof Error;\n",
    ],
  ])("%s", (_rule, file, text) => {
    expect(withFile(file, text, () => lint(file))).not.toBe(0);
  });

  test("a file without violations passes", () => {
    const file = "packages/broker/src/x.ts";
    expect(withFile(file, 'export { pigato } from "@pigato/protocol";\n', () => lint(file))).toBe(0);
  });

  test("files of a package do not import each other in a circle", () => {
    const left = "packages/broker/src/left.ts";
    const right = "packages/broker/src/right.ts";
    const exit = withFile(left, 'import { r } from "./right.ts";\nexport const l: number = r;\n', () =>
      withFile(right, 'import { l } from "./left.ts";\nexport const r: number = l;\n', () =>
        lint("packages/broker/src"),
      ),
    );
    expect(exit).not.toBe(0);
  });

  test("files of a package do not import each other's types in a circle", () => {
    const left = "packages/broker/src/left.ts";
    const right = "packages/broker/src/right.ts";
    const lists = 'import type { R } from "./right.ts";\nexport type L = R[];\n';
    const exit = withFile(left, lists, () =>
      withFile(right, 'import type { L } from "./left.ts";\nexport type R = L | string;\n', () =>
        lint("packages/broker/src"),
      ),
    );
    expect(exit).not.toBe(0);
  });
});

describe("pure code does not compile with", () => {
  test.each([
    ["a timer", "export const x = setTimeout;\n"],
    ["the process", "export const x = process.env;\n"],
    ["the console", 'console.log("x");\nexport {};\n'],
    ["a clock", "export const x = performance.now();\n"],
    ["a Node module", 'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n'],
  ])("%s", (_what, text) => {
    expect(withFile("packages/broker/src/core/x.ts", text, compilePure)).not.toBe(0);
  });

  test("only the language and Buffer", () => {
    expect(
      withFile("packages/broker/src/core/x.ts", 'export const x: number = Buffer.from("x").length;\n', compilePure),
    ).toBe(0);
  });
});

function withFile<Result>(file: string, text: string, run: () => Result): Result {
  const path = join(tree, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  try {
    return run();
  } finally {
    rmSync(path);
  }
}

function lint(path: string): number | null {
  const program = join(ROOT, "node_modules/.bin/biome");
  return spawnSync(program, ["lint", "--vcs-enabled=false", path], { cwd: tree }).status;
}

function compilePure(): number | null {
  const program = join(ROOT, "node_modules/.bin/tsc");
  return spawnSync(program, ["-p", "tsconfig.pure.json"], { cwd: tree }).status;
}
