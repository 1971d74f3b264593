// Runs the original's examples unchanged with the original and with ours: both print the same lines. Two concurrent requests
// may be answered in either order, with the original as well.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type LibraryName, nextLines, runProgram } from "./program.ts";

const folder = mkdtempSync(join(tmpdir(), "pigato-examples-"));
const programs: PeerProcess[] = [];
const asked: string[] = [];
let stocks: Server;

beforeAll(async () => {
  stocks = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.write("Date,Open,High,Low,Close,Volume,Adj Close\n2014-06-02,633.96,");
    response.end("634.83,622.50,628.65,92337700,89.81\n");
  }).listen(0, "127.0.0.1");
  await once(stocks, "listening");
});

afterEach(() => {
  for (const program of programs.splice(0)) program.signal("SIGKILL");
});

afterAll(() => {
  stocks.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The output of an example client, with a broker and a worker of the same library. */
async function printed(library: LibraryName, example: string, client: string, lines: number): Promise<string[]> {
  const address = stocks.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const environment = {
    PIGATO_ADDRESS: `ipc://${join(folder, crypto.randomUUID().slice(0, 8))}`,
    PIGATO_STOCKS: `http://127.0.0.1:${port}`,
    PIGATO_FLOOD: "3000",
  };
  const start = (file: string): PeerProcess => {
    const program = runProgram(library, join("examples", file), environment);
    programs.push(program);
    return program;
  };
  start("broker.js");
  start(join(example, "worker.js"));
  const output = await nextLines(start(join(example, client)), lines);
  return output.map((line) => line.replace(/\d+ milliseconds/, "some milliseconds")).sort();
}

test.each([
  ["echo", "client.js", 5, "DATA foo-stream"],
  ["echo", "client-flood.js", 1, "3000 requests/replies processed (some milliseconds) inv=0"],
  ["stocks", "client.js", 2, "2014-06-02,633.96,634.83,622.50,628.65,92337700,89.81"],
])("%s: %s", async (example, client, lines, line) => {
  const classic = await printed("classic", example, client, lines);
  expect(classic).toContain(line);
  expect(await printed("ours", example, client, lines)).toEqual(classic);
});

test("the examples request the same stocks from both libraries", () => {
  expect(asked).toHaveLength(2);
  expect(asked[1]).toBe(asked[0]);
});
