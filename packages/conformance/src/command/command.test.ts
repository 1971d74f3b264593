// The `pigato-broker` command, run as an operator runs it.

import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newCurveKeyPair } from "@pigato/broker";
import { Client } from "@pigato/client";
import { argumentsFor } from "@pigato/testkit/programs";
import { Worker } from "@pigato/worker";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { type BrokerProcess, spawnBroker } from "../support/spawn.ts";

const BIN = fileURLToPath(new URL("../../../broker/src/bin.ts", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "pigato-command-"));
const KEY = join(folder, "some.key");
writeFileSync(KEY, newCurveKeyPair().secretKey, { mode: 0o600 });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let broker: BrokerProcess | undefined;

afterEach(async () => {
  await broker?.kill("SIGKILL");
  broker = undefined;
});

describe("pigato-broker", () => {
  test("serves at every address that it binds, and prints that in one line", async () => {
    broker = await spawnBroker("--bind", "tcp://127.0.0.1:*", "--bind", "tcp://127.0.0.1:*");
    await using client = new Client(broker.address);
    await client.start();
  });

  test.each(["SIGTERM", "SIGINT"] as const)("finishes a running request on %s and exits with 0", async (signal) => {
    broker = await spawnBroker();
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

  test("writes logs as text or as JSON to stderr", async () => {
    broker = await spawnBroker("--log-format", "json");
    await broker.kill("SIGTERM");
    const records = broker.stderr
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(records).toContainEqual(expect.objectContaining({ msg: "broker ready" }));
    broker = await spawnBroker();
    await broker.kill("SIGTERM");
    expect(broker.stderr).toMatch(/INFO.*broker ready/);
  });

  test("creates key files, and authorizes a key as soon as it is in the file of authorized keys", async () => {
    const made = run("--new-curve-key-file", join(folder, "broker.key"));
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\S{40}\n$/) });
    const own = newCurveKeyPair();
    const authorized = join(folder, "authorized");
    writeFileSync(authorized, "# empty\n");
    broker = await spawnBroker(
      "--curve-secret-key-file",
      join(folder, "broker.key"),
      "--curve-authorized-keys-file",
      authorized,
    );
    const curve = { serverKey: made.stdout.trim(), ...own };
    await expect(new Client(broker.address, { curve }).start()).rejects.toMatchObject({ code: "REFUSED" });
    writeFileSync(authorized, `${own.publicKey} ada\n`);
    await using client = new Client(broker.address, { curve });
    await client.start();
    expect(await client.call("mmi.service", "echo")).toBe("404");
    await client.stop();
    await broker.kill("SIGTERM");
    expect(broker.stderr).toContain("DENIED");
    const secret = readFileSync(join(folder, "broker.key"), "utf8").trim();
    expect(broker.stderr).not.toContain(secret);
    expect(broker.commandLine).not.toContain(secret);
  });

  test("warns that every holder of the public key is authorized, and that others may read the secret key", async () => {
    const secret = join(folder, "open.key");
    run("--new-curve-key-file", secret);
    chmodSync(secret, 0o644);
    broker = await spawnBroker("--curve-secret-key-file", secret);
    await broker.kill("SIGTERM");
    expect(broker.stderr).toMatch(/every peer that knows the public key may connect/);
    expect(broker.stderr).toMatch(/other users may read the secret key/);
  });

  test.each([
    {
      what: "a file of no key",
      args: ["--curve-secret-key-file", BIN],
      named: /--curve-secret-key-file: .*contains no key/,
    },
    {
      what: "no file",
      args: ["--curve-secret-key-file", "/nowhere"],
      named: /--curve-secret-key-file: ENOENT.*nowhere/,
    },
    {
      what: "a missing file of authorized keys",
      args: ["--curve-secret-key-file", KEY, "--curve-authorized-keys-file", "/nowhere"],
      named: /--curve-authorized-keys-file: ENOENT.*nowhere/,
    },
    {
      what: "a new key where there is a file",
      args: ["--new-curve-key-file", BIN],
      named: /--new-curve-key-file: EEXIST/,
    },
  ])("$what prints one line and fails", ({ args, named }) => {
    const { status, stderr } = run(...args, "--log-level", "silent");
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(named);
  });

  test("prints one line for a port in use and fails", async () => {
    broker = await spawnBroker();
    const { status, stderr } = run("--bind", broker.address, "--log-level", "silent");
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/^pigato-broker: .*in use/);
  });

  test.each([
    [["--bind", "nonsense"], /nonsense/],
    [["--heartbeat", "never"], /--heartbeat/],
    [["--unknown"], /--unknown/],
  ])("%j prints one line and fails", (args, named) => {
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
  return spawnSync(process.execPath, [...argumentsFor(BIN), ...args], { encoding: "utf8", timeout: 15_000 });
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
