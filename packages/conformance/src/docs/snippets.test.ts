// Runs every program in the README files and the docs unchanged, in its own process, page by page and in the order of the page.
//
// - A ```ts or ```js block must exit by itself with code 0.
// - A ```ts serve``` block keeps running: it must print a line, and stays alive until the page is done.
// - A ```js contract.mjs``` block is a module: it is saved under this name next to the programs of its page, which import it. One in
// TypeScript, as ```ts contract.ts```, is compiled to a `.mjs` file.
// - A ```text output``` block after a program is its output: all of it, or the start for one that serves. Prose and a ```sh
// block that runs the program may be between them.
// - No program uses `await using`, because Node 20 cannot parse it.
// - The programs of a page connect to the documented address. A broker and an `echo` worker run there, unless the page starts
// its own. A program that starts a broker and ends runs alone.
//
// The test replaces the documented address by its own, and a documented port by a free one, so that other programs on the machine do not
// interfere.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Broker } from "@pigato/broker";
import { optionsForImports } from "@pigato/testkit/programs";
import { compileSnippet } from "@pigato/testkit/snippets";
import { Worker } from "@pigato/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pages, ROOT, textOf } from "./pages.ts";

const ADDRESS = /tcp:\/\/(?:127\.0\.0\.1|localhost|\*):55555/g;
const PORT = /(?<=\bport: )5555\d\b/g;
const DOCUMENTED = "tcp://127.0.0.1:55555";
/** The end of the name of a module of the same page. */
const TS_MODULE = /(?<=from "\.\/\w+)\.ts(?=")/g;
const STARTS_BROKER = /new (?:PIGATO\.)?Broker\(/;

interface Snippet {
  readonly line: number;
  readonly serves: boolean;
  readonly code: string;
  output: string | undefined;
}

/** The programs of a page, and the modules that they import, by file name. */
interface Programs {
  readonly page: string;
  readonly snippets: readonly Snippet[];
  readonly modules: ReadonlyMap<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), "pigato-docs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const programs = pages()
  .map(programsOf)
  .filter(({ snippets }) => snippets.length > 0);

test("the pages have snippets", () => {
  expect(programs.length).toBeGreaterThan(3);
});

test("no snippet uses syntax that Node 20 cannot parse", () => {
  const used = programs.flatMap(({ page, snippets }) =>
    snippets.filter(({ code }) => /\busing\s+\w+\s*=/.test(code)).map(({ line }) => `${page}:${line}`),
  );
  expect(used).toEqual([]);
});

// A supervisor may stop a program while its broker is away.
const stoppable = programs.flatMap(({ page, snippets, modules }) =>
  snippets.filter(({ code }) => code.includes('once("SIGTERM"')).map((snippet) => ({ page, modules, ...snippet })),
);

test.each(stoppable)(
  "$page:$line ends with code 0 on SIGTERM before a broker answers",
  { timeout: 60_000 },
  async ({ page, modules, line, code }) => {
    const silent = createServer((socket) => socket.on("error", () => {}));
    const path = join(folder, "silent.sock");
    await once(silent.listen(path), "listening");
    const place = placeFor(`stopped-${page}-${line}`);
    saveAll(place, modules);
    const child = spawnProgram(save(place, `${line}.mjs`, code.replaceAll(ADDRESS, `ipc://${path}`)));
    const printed = record(child, path);
    try {
      await once(silent, "connection", { signal: AbortSignal.timeout(50_000) });
      child.kill("SIGTERM");
      expect(await once(child, "exit"), printed.errors()).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
      silent.close();
      rmSync(place, { recursive: true, force: true });
    }
  },
);

describe.each(programs)("$page", ({ page, snippets, modules }) => {
  const name = page.replaceAll(/\W/g, "-");
  const place = placeFor(page);
  const shared = `ipc://${join(folder, `${name}.sock`)}`;
  const served = snippets.filter(({ serves }) => serves).map(({ code }) => code);
  const broker = new Broker(shared);
  const worker = new Worker(shared, "echo");
  const serving: ChildProcess[] = [];

  beforeAll(async () => {
    saveAll(place, modules);
    if (served.some((code) => STARTS_BROKER.test(code))) return;
    await broker.start();
    if (served.some((code) => code.includes('"echo"'))) return;
    worker.on("request", (data, reply) => reply.end(data));
    await worker.start();
  });

  afterAll(async () => {
    for (const child of serving) child.kill("SIGKILL");
    rmSync(place, { recursive: true, force: true });
    await worker.stop();
    await broker.stop();
  });

  test.each(snippets)("line $line", { timeout: 60_000 }, async ({ line, serves, code, output }) => {
    const isAlone = !serves && STARTS_BROKER.test(code);
    const address = isAlone ? `ipc://${join(folder, `${name}-${line}.sock`)}` : shared;
    const program = code.replaceAll(ADDRESS, address).replaceAll(PORT, String(await freePort()));
    const child = spawnProgram(save(place, `${line}.mjs`, program));
    serving.push(child);
    try {
      const printed = record(child, address);
      const exit = once(child, "exit", { signal: AbortSignal.timeout(50_000) });
      if (serves) {
        const wanted = output ?? "";
        await Promise.race([printed.until((text) => text.includes("\n") && text.length >= wanted.length), exit]);
        expect(child.exitCode, printed.errors()).toBeNull();
        expect(printed.text().slice(0, output?.length ?? 0)).toBe(wanted);
      } else {
        expect(await exit, printed.errors()).toEqual([0, null]);
        if (output !== undefined) expect(printed.text()).toBe(output);
      }
    } finally {
      if (!serves) child.kill("SIGKILL");
    }
  });
});

/** A port of the loopback interface that nothing listens at. */
async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** A folder next to the links of the packages, so that a program imports what a user's program would import. */
function placeFor(name: string): string {
  return join(ROOT, "packages/conformance", `.snippet-${name.replaceAll(/\W/g, "-")}`);
}

function saveAll(place: string, modules: Programs["modules"]): void {
  mkdirSync(place, { recursive: true });
  for (const [file, code] of modules) save(place, file, code);
}

/** @returns the path of the file */
function save(place: string, name: string, code: string): string {
  const file = join(place, name.replace(/\.ts$/, ".mjs"));
  writeFileSync(file, compileSnippet(code).replaceAll(TS_MODULE, ".mjs"));
  return file;
}

function spawnProgram(file: string): ChildProcess {
  return spawn(process.execPath, [...optionsForImports(), file], { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
}

/** The output of a program, with the documented address in place of the test's. */
function record(child: ChildProcess, address: string) {
  let out = "";
  let err = "";
  let waiting = () => {};
  const text = () => out.replaceAll(address, DOCUMENTED);
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  child.stdout?.on("data", (chunk) => {
    out += chunk;
    waiting();
  });
  return {
    text,
    errors: () => `${text()}\n${err}`,
    until: (isEnough: (text: string) => boolean) =>
      new Promise<void>((resolve) => {
        waiting = () => {
          if (isEnough(text())) resolve();
        };
        waiting();
      }),
  };
}

function programsOf(page: string): Programs {
  const text = textOf(page);
  const snippets: Snippet[] = [];
  const modules = new Map<string, string>();
  let last: Snippet | undefined;
  for (const { 1: language, 2: word, 3: code = "", index } of text.matchAll(/^```(\w*)(?: ([\w.]+))?\n(.*?)^```$/gms)) {
    if (word?.includes(".")) {
      modules.set(word, code);
      last = undefined;
    } else if (language === "ts" || language === "js") {
      last = { line: text.slice(0, index).split("\n").length, serves: word === "serve", code, output: undefined };
      snippets.push(last);
    } else if (language === "text" && word === "output") {
      if (last !== undefined) last.output = code;
      last = undefined;
    } else if (language !== "sh") {
      last = undefined;
    }
  }
  return { page, snippets, modules };
}
