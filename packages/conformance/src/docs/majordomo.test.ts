// The programs of the page about Majordomo peers: the worker in Python, the client in C, and our client.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Broker } from "@pigato/broker";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { optionsForImports } from "@pigato/testkit/programs";
import { compileSnippet } from "@pigato/testkit/snippets";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

/** The broker runs in this process, so nothing here may block until a program ends. */
const run = promisify(execFile);

const PAGE = textOf("docs/how-to/connect-a-majordomo-peer.md");

const folder = mkdtempSync(join(tmpdir(), "pigato-majordomo-"));
const broker = new Broker("tcp://127.0.0.1:*", { intch: false });
let worker: ChildProcess | undefined;

describe.skipIf(foreignPeers.python.isMissing)("the guide to Majordomo peers", () => {
  beforeAll(async () => {
    await broker.start();
    const joined = new Promise((resolve) => broker.once("worker:join", resolve));
    worker = spawn(foreignPeers.python.path, [save("shout.py", programIn("python").code)], { stdio: "inherit" });
    expect(await joined).toMatchObject({ service: "shout" });
  });

  afterAll(async () => {
    worker?.kill("SIGKILL");
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test.skipIf(foreignPeers.c.isMissing)("the client in C is answered by the worker in Python", async () => {
    const { code, output } = programIn("c");
    const program = join(folder, "ask");
    execFileSync(foreignPeers.c.path, ["-Wall", "-Werror", save("ask.c", code), "-o", program, "-lzmq"]);
    expect(await run(program, { timeout: 15_000 })).toEqual({ stdout: output, stderr: "" });
  });

  test("our client is answered by the worker in Python", async () => {
    const { code, output } = programIn("typescript");
    const file = join(ROOT, "packages/conformance", ".majordomo-client.mjs");
    writeFileSync(file, compileSnippet(code));
    try {
      const args = [...optionsForImports(), file];
      expect(await run(process.execPath, args, { timeout: 15_000 })).toEqual({ stdout: output, stderr: "" });
    } finally {
      rmSync(file);
    }
  });
});

/** Runs the program of a language with this broker. @returns its output */
function programIn(language: string): { readonly code: string; readonly output: string } {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`\n(?:\n\`\`\`text output\n(.*?)^\`\`\`$)?`, "ms");
  const [, code = "", output = ""] = block.exec(PAGE) ?? [];
  return { code: code.replaceAll("tcp://127.0.0.1:55555", broker.addresses[0] ?? ""), output };
}

function save(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}
