// The echo app, run as its readers run it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const SOURCES = ["--conditions=@pigato/source", "--import", "tsx"];

test("the demo shows requests of all three kinds and ends by itself", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...SOURCES, fileOf("demo")]);
  for (const shown of [
    "answer  { hello: 'world' }",
    "chunk   part 3",
    "partial step 2",
    "answers 1000 in order: true",
    "demo done",
  ]) {
    expect(stdout).toContain(shown);
  }
  expect(stdout).toMatch(/took +\d+\.\d ms/);
}, 60_000);

test("broker, worker and client run one by one, started in any order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pigato-echo-"));
  const address = `ipc://${join(folder, "broker.sock")}`;
  const [client, worker, broker] = ["client", "worker", "broker"].map((name) =>
    spawn(process.execPath, [...SOURCES, fileOf(name), address], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  if (!client || !worker || !broker) throw new Error("not all of them started");
  try {
    const [exitCode] = await once(client, "exit", { signal: AbortSignal.timeout(40_000) });
    expect(exitCode).toBe(0);
    for (const child of [worker, broker]) {
      child.kill("SIGTERM");
      expect(await once(child, "exit", { signal: AbortSignal.timeout(10_000) })).toEqual([0, null]);
    }
  } finally {
    for (const child of [client, worker, broker]) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
}
