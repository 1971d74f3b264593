// Policies when the process of a host is killed in the middle of a request: what runs again, and where.

import type { Client } from "@pigato/client";
import { hedge, retry } from "@pigato/policies";
import { type Interceptor, service, unary } from "@pigato/service";
import type { PeerProcess } from "@pigato/testkit/peer-process";
import { expect, onTestFinished, test } from "vitest";
import { spawnProgram } from "../support/spawn.ts";
import { startBroker, startClient } from "../support/start.ts";
import type { PaymentSettings } from "./payments-main.ts";

const PAYMENTS = service("payments", {
  read: unary<string, string>({ idempotent: true }),
  send: unary<string, string>(),
});
const PROGRAM = new URL("./payments-main.ts", import.meta.url);
const SOON = { attempts: 5, backoff: { initialMs: 1 } };

/** Resolves when the host is registered. */
async function spawnHost(address: string, name: string, holds: boolean): Promise<PeerProcess> {
  const settings: PaymentSettings = { address, name, holds };
  const process = await spawnProgram(PROGRAM, settings);
  onTestFinished(() => void process.kill());
  return process;
}

async function startClientWith(address: string, ...policies: readonly Interceptor[]): Promise<Client> {
  const client = await startClient(address);
  for (const policy of policies) client.use(policy);
  return client;
}

test("a retry runs an idempotent method again, at another host", async () => {
  const { address } = await startBroker();
  const api = (await startClientWith(address, retry(SOON))).of(PAYMENTS);
  const first = await spawnHost(address, "first", true);
  const called = api.read("balance");
  await first.request("started");
  const second = await spawnHost(address, "second", false);
  await first.kill("SIGKILL");
  expect(await called).toBe("read balance at second");
  expect(await second.request("runs")).toEqual(["read balance"]);
});

test.each([
  ["a retry", [retry(SOON)]],
  ["a hedge", [hedge({ delayMs: 1, attempts: 3 })]],
  ["a retry around a hedge", [retry(SOON), hedge({ delayMs: 1, attempts: 3 })]],
])("%s runs no other method again", async (_what, policies) => {
  const { address } = await startBroker();
  const api = (await startClientWith(address, ...policies)).of(PAYMENTS);
  const first = await spawnHost(address, "first", true);
  const failed = expect(api.send("5 to Ada")).rejects.toMatchObject({
    code: "WORKER_LOST",
    delivery: "maybe-executed",
    isRetrySafe: false,
  });
  await first.request("started");
  const second = await spawnHost(address, "second", false);
  expect(await first.request("runs")).toEqual(["send 5 to Ada"]);
  await first.kill("SIGKILL");
  await failed;
  expect(await second.request("runs")).toEqual([]);
});

test("a retry ends when its budget is spent, though another host is free", async () => {
  const { address } = await startBroker();
  const budget = { maxTokens: 1, tokenRatio: 0 };
  const api = (await startClientWith(address, retry({ ...SOON, budget }))).of(PAYMENTS);
  const first = await spawnHost(address, "first", true);
  const failed = expect(api.read("balance")).rejects.toMatchObject({ code: "WORKER_LOST" });
  await first.request("started");
  const second = await spawnHost(address, "second", true);
  await first.kill("SIGKILL");
  await second.request("started");
  const third = await spawnHost(address, "third", false);
  await second.kill("SIGKILL");
  await failed;
  expect(await third.request("runs")).toEqual([]);
});

test("the second attempt of a hedge replies when the host of the first is killed", async () => {
  const { address } = await startBroker();
  const api = (await startClientWith(address, hedge({ delayMs: 1 }))).of(PAYMENTS);
  const hosts = await Promise.all([spawnHost(address, "one", true), spawnHost(address, "other", true)]);
  const called = api.read("balance");
  const [killed, left] = hosts;
  await Promise.all(hosts.map((host) => host.request("started")));
  await killed.kill("SIGKILL");
  await left.request("release");
  expect(await called).toBe("read balance at other");
});
