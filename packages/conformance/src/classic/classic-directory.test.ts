// The original's directory service, unchanged, subscribed to our broker.

import { Broker, type BrokerOptions } from "@pigato/broker";
import type { Worker } from "@pigato/worker";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { LOOPBACK, startClient, startWorker } from "../support/start.ts";
import { LibraryProcess } from "./library-process.ts";
import { startClassicDirectory } from "./peers.ts";

let broker: Broker;
let peers: LibraryProcess;

beforeEach(async () => {
  broker = newBroker();
  peers = await LibraryProcess.start("classic");
  onTestFinished(() => peers.kill());
});

test("it returns the ids of a service's workers, an empty list for an unknown service, and the whole map for no service", async () => {
  await broker.start();
  await startDirectory(channel());
  const [first, second, other] = [
    (await serve("echo")).socketId,
    (await serve("echo")).socketId,
    (await serve("__proto__")).socketId,
  ];
  const client = await startClient(address());
  await untilEqual(() => client.call("$dir", "echo"), [first, second]);
  await untilEqual(() => client.call("$dir", "__proto__"), [other]);
  expect(await client.call("$dir", "nothing")).toEqual([]);
  const map = await client.call<Record<string, string[]>>("$dir");
  expect(Object.keys(map).sort()).toEqual(["$dir", "__proto__", "echo"]);
  expect(map.echo).toEqual([first, second]);
});

test("it knows the workers that registered before it started", async () => {
  await broker.start();
  const before = (await serve("echo")).socketId;
  await startDirectory(channel());
  const client = await startClient(address());
  await untilEqual(() => client.call("$dir", "echo"), [before]);
});

test("it can be created with the channel of a broker that has not started", async () => {
  const intch = channel();
  await broker.start();
  expect(broker.conf.intch).toBe(intch);
  await startDirectory(intch);
  const id = (await serve("echo")).socketId;
  const client = await startClient(address());
  await untilEqual(() => client.call("$dir", "echo"), [id]);
});

test("it forgets a worker that stops", async () => {
  await broker.start();
  await startDirectory(channel());
  const worker = await serve("echo");
  const client = await startClient(address());
  await untilEqual(() => client.call("$dir", "echo"), [worker.socketId]);
  await worker.stop();
  await untilEqual(() => client.call("$dir", "echo"), []);
});

test("it works over a tcp channel that is bound to a free port", async () => {
  broker = newBroker({ intch: LOOPBACK });
  await broker.start();
  expect(channel()).toMatch(/^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/);
  await startDirectory(channel());
  const id = (await serve("echo")).socketId;
  const client = await startClient(address());
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

function newBroker(options: BrokerOptions = {}): Broker {
  const created = new Broker(LOOPBACK, options);
  onTestFinished(() => created.stop());
  return created;
}

function serve(service: string): Promise<Worker> {
  return startWorker(address(), service, (_data, reply) => reply.end());
}

/** Repeats the request until the reply is the expected one, or the test times out. */
async function untilEqual(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  for (;;) {
    const answer = await ask();
    if (JSON.stringify(answer) === JSON.stringify(expected)) return;
  }
}
