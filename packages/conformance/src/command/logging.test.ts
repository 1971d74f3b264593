// The `pigato-broker` command whose log cannot be written: it serves and stops as ever.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Client } from "@pigato/client";
import { argumentsFor } from "@pigato/testkit/programs";
import { expect, onTestFinished, test } from "vitest";

const BIN = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));
const REQUESTS = 12_000;

async function start(stderr: "pipe" | number, format: string): Promise<{ broker: ChildProcess; address: string }> {
  const args = [...argumentsFor(BIN), "--bind", "tcp://127.0.0.1:*", "--log-level", "debug", "--log-format", format];
  const broker = spawn(process.execPath, args, { stdio: ["ignore", "pipe", stderr] });
  onTestFinished(() => void broker.kill("SIGKILL"));
  if (broker.stdout === null) return expect.unreachable();
  for await (const line of createInterface(broker.stdout)) {
    const address = /ready at (\S+)/.exec(line)?.[1];
    if (address !== undefined) return { broker, address };
  }
  return expect.unreachable("the broker ended before it was ready");
}

/** Each failure is one line of the log. */
async function makeFailures(client: Client): Promise<void> {
  for (let made = 0; made < REQUESTS; made += 1000) {
    const calls = Array.from({ length: 1000 }, () => client.call("missing", null, { failFast: true }));
    const results = await Promise.allSettled(calls);
    expect(results.every(({ status }) => status === "rejected")).toBe(true);
  }
}

async function stop(broker: ChildProcess): Promise<void> {
  const exit = once(broker, "exit");
  broker.kill("SIGTERM");
  expect(await exit).toEqual([0, null]);
}

test.runIf(process.platform === "linux").each(["json", "text"])(
  "a full log file does not end the broker, with the format %s",
  async (format) => {
    const full = openSync("/dev/full", "w");
    onTestFinished(() => closeSync(full));
    const { broker, address } = await start(full, format);
    await using client = new Client(address);
    await client.start();
    await expect(client.call("missing", null, { failFast: true })).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await client.stop();
    await stop(broker);
  },
  60_000,
);

test("an unread stderr does not block the broker, which reports the dropped lines when it is read again", async () => {
  const { broker, address } = await start("pipe", "json");
  await using client = new Client(address, { timeout: 20_000 });
  await client.start();
  await makeFailures(client);
  let log = "";
  broker.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  await expect.poll(() => log.length, { timeout: 20_000 }).toBeGreaterThan(1024 * 1024);
  await expect
    .poll(
      async () => {
        await client.call("missing", null, { failFast: true }).catch(() => {});
        return log;
      },
      { timeout: 20_000 },
    )
    .toMatch(/"lines":\d+,"msg":"log lines were dropped/);
  await client.stop();
  await stop(broker);
}, 90_000);
