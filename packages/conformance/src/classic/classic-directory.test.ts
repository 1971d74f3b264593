// The original's directory service, unchanged, fed by our broker.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LibraryProcess } from "./library-process.ts";
import { startClassicDirectory } from "./peers.ts";

let broker: Broker;
let peers: LibraryProcess;
const started: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  broker = new Broker("tcp://127.0.0.1:*");
  peers = await LibraryProcess.start("classic");
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((peer) => peer.stop()));
  await peers.kill();
  await broker.stop();
});

test("it returns the ids of a service's workers, an empty list for an unknown service, and the whole map for no service", async () => {
  await broker.start();
  await startDirectory(channel());
  const [first, second, other] = [await worker("echo"), await worker("echo"), await worker("__proto__")];
  const client = await aClient();
  await untilEqual(() => client.call("$dir", "echo"), [first, second]);
  await untilEqual(() => client.call("$dir", "__proto__"), [other]);
  expect(await client.call("$dir", "nothing")).toEqual([]);
  const map = await client.call<Record<string, string[]>>("$dir");
  expect(Object.keys(map).sort()).toEqual(["$dir", "__proto__", "echo"]);
  expect(map.echo).toEqual([first, second]);
});

test("it knows the workers that were there before it", async () => {
  await broker.start();
  const before = await worker("echo");
  await startDirectory(channel());
  const client = await aClient();
  await untilEqual(() => client.call("$dir", "echo"), [before]);
});

test("it is made with the channel of a broker that has not started", async () => {
  const intch = channel();
  await broker.start();
  expect(broker.conf.intch).toBe(intch);
  await startDirectory(intch);
  const id = await worker("echo");
  const client = await aClient();
  await untilEqual(() => client.call("$dir", "echo"), [id]);
});

test("it forgets a worker that stops", async () => {
  await broker.start();
  await startDirectory(channel());
  const id = await worker("echo");
  const client = await aClient();
  await untilEqual(() => client.call("$dir", "echo"), [id]);
  await started[0]?.stop();
  await untilEqual(() => client.call("$dir", "echo"), []);
});

test("it works over a tcp channel that is bound to a free port", async () => {
  await broker.stop();
  broker = new Broker("tcp://127.0.0.1:*", { intch: "tcp://127.0.0.1:*" });
  await broker.start();
  expect(channel()).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  await startDirectory(channel());
  const id = await worker("echo");
  const client = await aClient();
  await untilEqual(() => client.call("$dir", "echo"), [id]);
});

function channel(): string {
  return String(broker.conf.intch);
}

function address(): string {
  return broker.addresses[0] ?? "";
}

async function startDirectory(intch: string): Promise<void> {
  await startClassicDirectory(peers, address(), intch);
}

/** Starts a worker and returns its id. */
async function worker(service: string): Promise<string> {
  const one = new Worker(address(), service);
  one.on("request", (_data, reply) => reply.end());
  await one.start();
  started.push(one);
  return one.socketId ?? "";
}

async function aClient(): Promise<Client> {
  const client = new Client(address());
  await client.start();
  started.push(client);
  return client;
}

/** Asks until the answer is the expected one; the test's own timeout ends it if it never is. */
async function untilEqual(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (;;) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected)) return;
  }
}
