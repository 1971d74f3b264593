// The page about CURVE, as its reader follows it: keys made by the command, the list of authorized keys, the command of the broker, a
// worker and a client. (Its other programs are run by snippets.test.ts.)

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { argumentsFor, optionsForImports } from "@pigato/testkit/programs";
import { compileSnippet } from "@pigato/testkit/snippets";
import { afterAll, expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

const run = promisify(execFile);

const PAGE = textOf("docs/how-to/secure-a-broker.md");
const COMMAND = argumentsFor(join(ROOT, "packages/broker/src/bin.ts"));
const KEY = /^\S{40}$/;

const folder = mkdtempSync(join(tmpdir(), "pigato-secure-"));
const files: string[] = [];
const children: ChildProcess[] = [];

afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  for (const file of [folder, ...files]) rmSync(file, { recursive: true, force: true });
});

test("key files secure a broker, a worker and a client as the page says", { timeout: 120_000 }, async () => {
  const keys = new Map<string, string>();
  for (const [, file = ""] of PAGE.matchAll(/^npx pigato-broker --new-curve-key-file (\S+)$/gm)) {
    const { stdout } = await run(process.execPath, [...COMMAND, "--new-curve-key-file", file], { cwd: folder });
    keys.set(file, stdout.trim());
  }
  expect([...keys.keys()]).toEqual(["broker.key", "worker.key", "client.key"]);
  expect([...keys.values()]).toEqual(Array(3).fill(expect.stringMatching(KEY)));
  writeFileSync(join(folder, "authorized_keys"), authorizedKeys([keys.get("worker.key"), keys.get("client.key")]));

  const broker = start([...COMMAND, ...brokerArguments()], { PIGATO_LOG_LEVEL: "error" });
  const [, address = ""] = /ready at (\S+)/.exec(await nextOutput(broker)) ?? [];
  const BROKER_KEY = keys.get("broker.key") ?? "";

  const worker = start(program("worker.mjs", address), { BROKER_KEY });
  expect(await nextOutput(worker)).toBe("serving greet\n");
  const client = start(program("client.mjs", address), { BROKER_KEY });
  expect(await nextOutput(client)).toBe("hello Ada\n");
  if (client.exitCode === null) await once(client, "exit");
  expect(client.exitCode).toBe(0);
});

/** The list of the page, with these keys in place of its examples. */
function authorizedKeys(keys: readonly (string | undefined)[]): string {
  const [, list = ""] = /^```text\n(# .*?)^```$/ms.exec(PAGE) ?? [];
  let next = 0;
  const text = list.replaceAll(/^[^\s#]\S{39}(?=\s)/gm, () => keys[next++] ?? "");
  expect(next).toBe(keys.length);
  return text;
}

/** The arguments of the command that starts the broker, at any free port. */
function brokerArguments(): string[] {
  const [, args = ""] = /^npx pigato-broker (--bind (?:.*\\\n)+.*)$/m.exec(PAGE) ?? [];
  return args
    .replaceAll("\\\n", " ")
    .replace(/"tcp:[^"]*"/, "tcp://127.0.0.1:*")
    .trim()
    .split(/\s+/);
}

/** A program of the page at this address. It is saved next to the links to the packages. */
function program(name: string, address: string): string[] {
  const [, code = ""] = new RegExp(`\`${name}\`:\n\n\`\`\`javascript\n(.*?)^\`\`\`$`, "ms").exec(PAGE) ?? [];
  expect(code).toContain("tcp://127.0.0.1:55555");
  const file = join(ROOT, "packages/conformance", `.snippet-secure-${name}`);
  writeFileSync(file, compileSnippet(code.replaceAll("tcp://127.0.0.1:55555", address)));
  files.push(file);
  return [...optionsForImports(), file];
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

async function nextOutput({ stdout }: ChildProcess): Promise<string> {
  const signal = AbortSignal.timeout(50_000);
  const [chunk] = stdout === null ? [] : await once(stdout, "data", { signal });
  return String(chunk);
}
