// The `pigato-broker` command, run as an operator runs it.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { afterEach, describe, expect, test } from "vitest";
import { BrokerProcess } from "../support/broker-process.ts";

const BIN = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));

let broker: BrokerProcess | undefined;

afterEach(async () => {
  await broker?.kill("SIGKILL");
  broker = undefined;
});

describe("pigato-broker", () => {
  test("serves at every address it is told to bind, and says so in one line", async () => {
    broker = await BrokerProcess.start("--bind", "tcp://127.0.0.1:*", "--bind", "tcp://127.0.0.1:*");
    await using client = new Client(broker.address);
    await client.start();
  });

  test.each(["SIGTERM", "SIGINT"] as const)("lets a running request finish on %s and exits with 0", async (signal) => {
    broker = await BrokerProcess.start();
    await using worker = new Worker(broker.address, "slow");
    const finish = deferred();
    const running = deferred();
    worker.on("request", async (_data, reply) => {
      running.resolve();
      await finish.promise;
      reply.end("finished");
    });
    await worker.start();
    await using client = new Client(broker.address);
    await client.start();
    const answer = client.call("slow");
    await running.promise;
    const exit = broker.kill(signal);
    finish.resolve();
    expect(await answer).toBe("finished");
    expect(await exit).toBe(0);
  });

  test("writes logs a person can read, or JSON, to stderr", async () => {
    broker = await BrokerProcess.start("--log-format", "json");
    await broker.kill("SIGTERM");
    const records = broker.log
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(records).toContainEqual(expect.objectContaining({ msg: "broker ready" }));
    broker = await BrokerProcess.start();
    await broker.kill("SIGTERM");
    expect(broker.log).toMatch(/INFO.*broker ready/);
  });

  test("a taken port is one clear line and a failure", async () => {
    broker = await BrokerProcess.start();
    const { status, stderr } = run("--bind", broker.address, "--log-level", "silent");
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^pigato-broker: .*in use/);
  });

  test.each([
    [["--bind", "nonsense"], /nonsense/],
    [["--heartbeat", "never"], /--heartbeat/],
    [["--unknown"], /--unknown/],
  ])("%j is one clear line and a failure", (args, named) => {
    const { status, stderr } = run(...args, "--log-level", "silent");
    expect(status).not.toBe(0);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(named);
  });

  test("shows help and version and exits with 0", () => {
    expect(run("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--bind") });
    expect(run("--version")).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

function run(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ["--conditions=@pigato/source", "--import", "tsx", BIN, ...args];
  return spawnSync(process.execPath, command, { encoding: "utf8", timeout: 15_000 });
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
