// Every program in the README files and the docs is run as it stands, in a process of its own.
//
// - A ```ts or ```js block must end by itself with exit code 0.
// - A ```ts serve``` block goes on for ever: it must print a line and stay alive.
// - A snippet that starts no broker finds one at the documented address, with an `echo` worker.
//
// The documented address is replaced by one of the test's own, so that nothing else on the machine is in the way.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Broker } from "@pigato/broker";
import { Worker } from "@pigato/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../../../../", import.meta.url));
const ADDRESS = /tcp:\/\/(?:127\.0\.0\.1|localhost|\*):55555/g;

interface Snippet {
  readonly page: string;
  readonly line: number;
  readonly serves: boolean;
  readonly code: string;
}

const folder = mkdtempSync(join(tmpdir(), "pigato-docs-"));
const shared = `ipc://${join(folder, "shared.sock")}`;
const broker = new Broker(shared);
const worker = new Worker(shared, "echo");
worker.on("request", (data, reply) => reply.end(data));

beforeAll(async () => {
  await broker.start();
  await worker.start();
});

afterAll(async () => {
  await worker.stop();
  await broker.stop();
  rmSync(folder, { recursive: true, force: true });
});

const snippets = pages().flatMap(snippetsOf);

test("there are snippets to run", () => {
  expect(snippets.length).toBeGreaterThan(3);
});

describe.each(snippets)("$page line $line", ({ page, line, serves, code }) => {
  test(serves ? "serves" : "runs to its end", { timeout: 60_000 }, async () => {
    const name = `${page}-${line}`.replaceAll(/\W/g, "-");
    const own = `ipc://${join(folder, `${name}.sock`)}`;
    // Next to the packages' links, so that the snippet imports what a user's program would.
    const file = join(ROOT, "packages/conformance", `.snippet-${name}.mts`);
    writeFileSync(file, code.replaceAll(ADDRESS, code.includes("new Broker(") ? own : shared));
    const child = spawn(process.execPath, ["--conditions=@pigato/source", "--import", "tsx", file], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      let errors = "";
      child.stderr.on("data", (chunk) => {
        errors += chunk;
      });
      const exit = once(child, "exit", { signal: AbortSignal.timeout(50_000) });
      if (serves) {
        const first = await Promise.race([once(child.stdout, "data"), exit.then(() => undefined)]);
        expect(first, errors).toBeDefined();
        expect(child.exitCode).toBeNull();
      } else {
        child.stdout.resume();
        expect(await exit, errors).toEqual([0, null]);
      }
    } finally {
      child.kill("SIGKILL");
      rmSync(file, { force: true });
    }
  });
});

function pages(): string[] {
  const readmes = ["packages", "apps"].flatMap((group) =>
    readdirSync(join(ROOT, group)).map((name) => join(group, name, "README.md")),
  );
  const docs = readdirSync(join(ROOT, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file));
  return ["README.md", ...readmes, ...docs].filter((page) => existsSync(join(ROOT, page))).sort();
}

function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```(?:ts|js)( serve)?\n(.*?)^```$/gms)].map(({ 1: serve, 2: code = "", index }) => ({
    page,
    line: text.slice(0, index).split("\n").length,
    serves: serve !== undefined,
    code,
  }));
}
