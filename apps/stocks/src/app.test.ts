// The stocks app, run as its readers run it.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { compilePage } from "./testing/compiled-page.ts";
import { Lines } from "./testing/lines.ts";

const SOURCES = ["--conditions=@pigato/source", "--import", "tsx"];
const started: ChildProcess[] = [];

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});

test("the demo starts all three, serves the page and prices, and ends when it is told to", async () => {
  await compilePage();
  const demo = start("demo", "--port", "0");
  const [, url = ""] = await demo.said.until(/^Open (\S+) in a browser/);
  expect(await (await fetch(url)).text()).toContain("<title>Stocks</title>");
  const prices = await fetch(`${url}/prices?ticker=ACME&start=2025-01-01&end=2025-12-31&freq=m`);
  expect((await prices.text()).trimEnd().split("\n")).toHaveLength(13);
  demo.child.kill("SIGTERM");
  expect(await demo.exit).toEqual([0, null]);
}, 120_000);

test("the terminal client draws a chart, and tells what went wrong", async () => {
  const broker = start("broker", "tcp://127.0.0.1:*");
  const [, address = ""] = await broker.said.until(/^ready at (\S+)/);
  const worker = start("worker", address);
  await worker.said.until(/^ready/);

  const { stdout } = await client("tide", "2024-01-01", "2024-12-31", "w", "--broker", address);
  expect(stdout).toMatch(/^TIDE {2}\d+\.\d\d on 2024-12-30 {2}\(53 rows\)\n\n +\d+\.\d\d [┤┼]/);
  expect(stdout.trimEnd().split("\n").length).toBeGreaterThan(15);

  const nothing = await client("tide", "2019-01-01", "2019-12-31", "--broker", address);
  expect(nothing.stdout).toBe("TIDE: no prices from 2019-01-01 to 2019-12-31.\n");
  const unknown = client("zzz", "--broker", address);
  await expect(unknown).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining("no prices for ZZZ.") });

  for (const { child, exit } of [worker, broker]) {
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
  }
}, 120_000);

test("Ctrl-C in the terminal client stops the worker", async () => {
  const broker = start("broker", "tcp://127.0.0.1:*");
  const [, address = ""] = await broker.said.until(/^ready at (\S+)/);
  const worker = start("worker", address, "--rows-per-second", "50");
  await worker.said.until(/^ready/);
  const client = start("client", "ACME", "--broker", address);
  await worker.said.until(/^ACME: asked for/);
  client.child.kill("SIGINT");
  expect(await client.exit).toEqual([1, null]);
  await worker.said.until(/^ACME: stopped after \d+ rows/);
}, 120_000);

function client(...args: readonly string[]) {
  return promisify(execFile)(process.execPath, [...SOURCES, fileOf("client"), ...args]);
}

function start(name: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [...SOURCES, fileOf(name), ...args], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const said = new Lines();
  createInterface(child.stdout).on("line", said.add);
  return { child, said, exit: once(child, "exit") };
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
}
