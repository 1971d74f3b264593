// The echo app, run as its readers run it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { afterEach, expect, test } from "vitest";

const processes: PeerProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.kill()));
});

test("the demo shows requests of all three kinds and exits", async () => {
  const demo = start("demo");
  for (const shown of [
    "reply   { hello: 'world' }",
    "chunk   part 3",
    "partial step 2",
    "replies 1000 in order: true",
    "demo done",
  ]) {
    await demo.nextLine((line) => line.includes(shown));
  }
  await demo.nextLine((line) => /took +\d+\.\d ms/.test(line));
  expect(await demo.exited()).toBe(0);
}, 60_000);

test("broker, worker and client run one by one, started in any order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pigato-echo-"));
  try {
    const address = `ipc://${join(folder, "broker.sock")}`;
    const [client, worker, broker] = [start("client", address), start("worker", address), start("broker", address)];
    expect(await client.exited()).toBe(0);
    expect(await worker.kill("SIGTERM")).toBe(0);
    expect(await broker.kill("SIGTERM")).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

test("the worker exits with 0 when it is stopped before a broker has answered", async () => {
  const worker = start("worker", "tcp://127.0.0.1:1");
  await worker.nextLine((line) => line.includes("connecting"));
  expect(await worker.kill("SIGTERM")).toBe(0);
}, 60_000);

function start(name: string, ...args: readonly string[]): PeerProcess {
  const started = PeerProcess.node(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), args);
  processes.push(started);
  return started;
}
