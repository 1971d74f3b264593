// The programs of the pages about Majordomo peers and about Python: those in Python and C, and ours, which call each other.

import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
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

/** JavaScript is marked `typescript` on these pages, because snippets.test.ts runs every `js` block by itself. */
const BLOCK = /^```(python|c|typescript)\n(.*?)^```\n(?:\n```text output\n(.*?)^```$)?/gms;
const ENDS_WITHIN_MS = 50_000;

interface Program {
  readonly language: string;
  readonly code: string;
  readonly output: string;
}

const folder = mkdtempSync(join(tmpdir(), "pigato-foreign-"));
const services: ChildProcess[] = [];
const modules: string[] = [];
let saved = 0;

afterAll(() => {
  for (const service of services) service.kill("SIGKILL");
  for (const file of [folder, ...modules]) rmSync(file, { recursive: true, force: true });
});

/** A page, whose programs use a broker of this process. */
class Page {
  readonly broker = new Broker({ address: "tcp://127.0.0.1:*", dialect: "butler" }, { intch: false });
  readonly #programs: readonly Program[];

  constructor(path: string) {
    this.#programs = [...textOf(path).matchAll(BLOCK)].map(([, language = "", code = "", output = ""]) => ({
      language,
      code,
      output,
    }));
  }

  /** The program of a language at this index, with the address of the broker. */
  program(language: string, index: number): Program {
    const program = this.#programs.filter((each) => each.language === language)[index];
    if (program === undefined) throw new Error(`the page has no program ${index} in ${language}`);
    const code = program.code.replaceAll("tcp://127.0.0.1:55555", this.broker.addresses[0] ?? "");
    return { ...program, code };
  }

  /** Runs a worker or a host until the tests have ended. Resolves when it has joined. */
  async serve(language: string, index: number, service: string): Promise<void> {
    const joined = new Promise((resolve) => this.broker.once("worker:join", resolve));
    const [command, ...args] = commandFor(this.program(language, index));
    const child = spawn(command, args, { stdio: "ignore" });
    services.push(child);
    const ended = once(child, "exit").then(([code]) => `ended with code ${code}`);
    expect(await Promise.race([joined, ended])).toMatchObject({ service });
  }

  /** Runs a program to its end. */
  async expectOutput(language: string, index: number): Promise<void> {
    const program = this.program(language, index);
    const [command, ...args] = commandFor(program);
    expect(await run(command, args, { timeout: ENDS_WITHIN_MS })).toEqual({ stdout: program.output, stderr: "" });
  }
}

function commandFor({ language, code }: Program): [string, ...string[]] {
  if (language === "python") return [foreignPeers.python.path, save(`${saved++}.py`, code)];
  // From where it finds the packages.
  const file = join(ROOT, "packages/conformance", `.snippet-foreign-${saved++}.mjs`);
  writeFileSync(file, compileSnippet(code));
  modules.push(file);
  return [process.execPath, ...optionsForImports(), file];
}

function save(name: string, code: string): string {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

describe.skipIf(foreignPeers.python.isMissing)("the guide to Majordomo peers", () => {
  const page = new Page("docs/how-to/connect-a-majordomo-peer.md");
  beforeAll(async () => {
    await page.broker.start();
    await page.serve("python", 0, "shout");
  });
  afterAll(() => page.broker.stop());

  test.skipIf(foreignPeers.c.isMissing)("the client in C is answered by the worker in Python", async () => {
    const { code, output } = page.program("c", 0);
    const program = join(folder, "ask");
    execFileSync(foreignPeers.c.path, ["-Wall", "-Werror", save("ask.c", code), "-o", program, "-lzmq"]);
    expect(await run(program, { timeout: ENDS_WITHIN_MS })).toEqual({ stdout: output, stderr: "" });
  });

  test("our client is answered by the worker in Python", () => page.expectOutput("typescript", 0));
});

describe.skipIf(foreignPeers.python.isMissing)("the guide to Python", () => {
  const page = new Page("docs/how-to/interoperate-with-python.md");
  beforeAll(() => page.broker.start());
  afterAll(() => page.broker.stop());

  test("our client calls functions in Python, and gets their exceptions", async () => {
    await page.serve("python", 0, "api.images");
    await page.expectOutput("typescript", 0);
  });

  test("a program in Python calls methods of our host, and raises their errors", async () => {
    await page.serve("typescript", 1, "api.texts");
    await page.expectOutput("python", 1);
  });
});
