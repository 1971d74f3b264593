// The client of a stored request is killed and returns when the reply is ready: over tcp, with separate processes.

import { Broker, MemoryStore } from "@pigato/broker";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { type Reply, Worker } from "@pigato/worker";
import { expect, onTestFinished, test } from "vitest";
import { spawnPeer } from "../support/spawn.ts";
import { connectRawPeer, startBroker } from "../support/start.ts";

const PERSIST = JSON.stringify({ persist: 1 });

/** The next event of this name. */
function nextEvent(broker: Broker, event: "client:leave" | "reply:held"): Promise<unknown> {
  return new Promise((resolve) => {
    broker.once(event, resolve);
  });
}

test("a client that is killed receives the reply when it returns under its id, and the store keeps it until then", async () => {
  const store = new MemoryStore();
  const { broker, address } = await startBroker({ store });
  const worker = new Worker(address, "slow");
  onTestFinished(() => worker.stop());
  const asked = new Promise<Reply>((resolve) => worker.once("request", (_data, reply) => resolve(reply)));
  await worker.start();

  const request = ["C", "2", "slow", "r1", '"question"', PERSIST];
  const client = await spawnPeer({ role: "raw client", address, routingId: "fixed", frames: request });
  onTestFinished(() => void client.kill());
  const reply = await asked;
  const left = nextEvent(broker, "client:leave");
  await client.kill();
  expect(await left).toEqual({ client: "fixed", reason: "gone" });

  const held = nextEvent(broker, "reply:held");
  reply.write("part");
  reply.end("whole");
  expect(await held).toEqual({ client: "fixed", service: "slow", requestId: "r1" });
  await expect.poll(() => broker.stats()).toMatchObject({ inFlight: 0, open: 1, heldReplies: 1 });
  expect(await store.all()).toHaveLength(1);

  const back = connectRawPeer(address, "fixed");
  await back.send(...request);
  expect(await back.receive("C", "6", "", "r1")).toEqual(["C", "6", "", "r1", "0", '"part"', "{}"]);
  expect(await back.receive("C", "3", "", "r1")).toEqual(["C", "3", "", "r1", "0", '"whole"', "{}"]);
  await back.roundTrip();
  expect(broker.stats()).toMatchObject({ open: 0, heldReplies: 0, finished: 1 });
  expect(await store.all()).toHaveLength(0);
}, 30_000);

test("a stored request whose reply was not collected runs again after a restart of the broker", async () => {
  const store = new MemoryStore();
  const { broker: first, address } = await startBroker({ store, stopTimeoutMs: 1_000 });
  const worker = new Worker(address, "echo", { reconnect: 50 });
  onTestFinished(() => worker.stop());
  let runs = 0;
  worker.on("request", (data, reply) => {
    runs += 1;
    reply.end(data);
  });

  const before = new RawPeer(address, "fixed");
  await before.send("C", "2", "echo", "r1", '"data"', PERSIST);
  await before.roundTrip();
  const left = nextEvent(first, "client:leave");
  before.close();
  await left;
  const held = nextEvent(first, "reply:held");
  await worker.start();
  await held;
  await first.stop();
  expect(await store.all()).toHaveLength(1);

  const second = new Broker(address, { store });
  onTestFinished(() => second.stop());
  const again = nextEvent(second, "reply:held");
  await second.start();
  await again;
  expect(runs).toBe(2);
  const back = connectRawPeer(address, "fixed");
  await back.send("C", "4");
  expect(await back.receive("C", "3", "", "r1")).toEqual(["C", "3", "", "r1", "0", '"data"', "{}"]);
}, 30_000);
