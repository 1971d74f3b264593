// The stocks app, run as its readers run it.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PeerProcess } from "@pigato/testkit/peer-process";
import { argumentsFor } from "@pigato/testkit/programs";
import { afterEach, expect, onTestFinished, test } from "vitest";
import { compilePage } from "./testing/compiled-page.ts";

const processes: PeerProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.kill()));
});

test("the demo starts all three, serves the page and prices, and exits on SIGTERM", async () => {
  await compilePage();
  const demo = start("demo", "--port", "0");
  const url = await matchIn(demo, /^Open (\S+) in a browser/);
  expect(await (await fetch(url)).text()).toContain("<title>Stocks</title>");
  const prices = await fetch(`${url}/prices?ticker=ACME&start=2025-01-01&end=2025-12-31&freq=m`);
  expect((await prices.text()).trimEnd().split("\n")).toHaveLength(13);
  expect(await demo.kill("SIGTERM")).toBe(0);
}, 120_000);

test("the terminal client draws a chart, and explains failures", async () => {
  const broker = start("broker", "tcp://127.0.0.1:*");
  const address = await matchIn(broker, /^ready at (\S+)/);
  const worker = start("worker", address);
  await matchIn(worker, /^ready/);

  const chart = await outputOf("client", "tide", "2024-01-01", "2024-12-31", "w", "--broker", address);
  expect(chart.stdout).toMatch(/^TIDE {2}\d+\.\d\d on 2024-12-30 {2}\(53 rows\)\n\n +\d+\.\d\d [┤┼]/);
  expect(chart.stdout.trimEnd().split("\n").length).toBeGreaterThan(15);

  const empty = await outputOf("client", "tide", "2019-01-01", "2019-12-31", "--broker", address);
  expect(empty.stdout).toBe("TIDE: no prices from 2019-01-01 to 2019-12-31.\n");
  const unknown = outputOf("client", "zzz", "--broker", address);
  await expect(unknown).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no prices for ZZZ.") });

  expect(await worker.kill("SIGTERM")).toBe(0);
  expect(await broker.kill("SIGTERM")).toBe(0);
}, 120_000);

test("the terminal uploads prices, which the client then draws", async () => {
  const folder = mkdtempSync(join(tmpdir(), "pigato-stocks-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const broker = start("broker", "tcp://127.0.0.1:*");
  const address = await matchIn(broker, /^ready at (\S+)/);
  const worker = start("worker", address, "--uploads", join(folder, "uploads"));
  await matchIn(worker, /^ready/);
  const file = join(folder, "newt.csv");
  writeFileSync(file, "date,close\n2024-01-02,7\n2024-01-03,8\n");

  const upload = await outputOf("upload", file, "--broker", address);
  expect(upload.stdout).toBe("NEWT: loaded 2 rows. There are prices for ACME, BREW, NORD, TIDE, NEWT.\n");
  const chart = await outputOf("client", "newt", "--broker", address);
  expect(chart.stdout).toMatch(/^NEWT {2}8\.00 on 2024-01-03 {2}\(2 rows\)\n/);

  writeFileSync(file, "date,close\n2024-01-02,seven\n");
  const invalid = outputOf("upload", file, "--broker", address);
  const stderr = "The prices were not loaded: row 2 has no number in the column close.\n";
  await expect(invalid).rejects.toMatchObject({ code: 1, stderr });
  const missing = outputOf("upload", join(folder, "none.csv"), "--broker", address);
  await expect(missing).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no such file") });
}, 120_000);

test("Ctrl-C in the terminal client stops the worker", async () => {
  const broker = start("broker", "tcp://127.0.0.1:*");
  const address = await matchIn(broker, /^ready at (\S+)/);
  const worker = start("worker", address, "--rows-per-second", "50");
  await matchIn(worker, /^ready/);
  const client = start("client", "ACME", "--broker", address);
  await matchIn(worker, /^ACME: requested/);
  expect(await client.kill("SIGINT")).toBe(1);
  await matchIn(worker, /^ACME: canceled after \d+ rows/);
}, 120_000);

/** Runs a program to its end. @returns its output; rejects if it fails */
function outputOf(name: string, ...args: readonly string[]) {
  return promisify(execFile)(process.execPath, [...argumentsFor(fileOf(name)), ...args]);
}

/** Waits for a line that matches. @returns the first group, or the whole match */
async function matchIn(running: PeerProcess, pattern: RegExp): Promise<string> {
  const line = await running.nextLine((text) => pattern.test(text));
  const [all = "", group = all] = pattern.exec(line) ?? [];
  return group;
}

function start(name: string, ...args: readonly string[]): PeerProcess {
  const started = PeerProcess.node(fileOf(name), args);
  processes.push(started);
  return started;
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
}
