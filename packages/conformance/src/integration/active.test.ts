// A handler learns, over tcp, that nobody waits for its answer any more: `reply.active()` turns false and the signal
// fires, whichever end was lost.

import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { type Reply, Worker } from "@pigato/worker";
import { afterEach, beforeEach, expect, test } from "vitest";
import { spawnBroker } from "../support/spawn.ts";

const BRISK = { heartbeat: 100, reconnect: 50 };

const stops: (() => unknown)[] = [];
let address = "";

beforeEach(async () => {
  const broker = new Broker("tcp://127.0.0.1:*", { heartbeat: BRISK.heartbeat });
  await broker.start();
  stops.push(() => broker.stop());
  [address = ""] = broker.addresses;
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

test("turns false when the client discards the request", async () => {
  const replies = await held(address);
  const client = await connected(address);
  const giveUp = new AbortController();
  const answer = client.call("held", 1, { signal: giveUp.signal });
  const reply = await replies();
  expect(reply.active()).toBe(true);

  const canceled = expect(answer).rejects.toMatchObject({ code: "CANCELED" });
  giveUp.abort();
  await canceled;
  await abortOf(reply);
  expect(reply.active()).toBe(false);
  expect(reply.signal.reason).toMatchObject({ code: "CANCELED" });
});

test("turns false when the client's connection is gone", async () => {
  const replies = await held(address);
  const client = new RawPeer(address, "a-client");
  stops.push(() => client.close());
  // It promises heartbeats, as ours do, so that its silence means something.
  await client.send("C", "4", "pigato/1 cancel error heartbeat=100");
  await client.send("C", "2", "held", "r1", "1", "{}");
  const reply = await replies();
  expect(reply.active()).toBe(true);

  client.close();
  await abortOf(reply);
  expect(reply.active()).toBe(false);
});

test("turns false when the worker loses its broker", async () => {
  const broker = await spawnBroker();
  stops.push(() => broker.kill("SIGKILL"));
  const replies = await held(broker.address);
  const client = await connected(broker.address);
  const answer = client.call("held", 1);
  const reply = await replies();
  expect(reply.active()).toBe(true);

  const lost = expect(answer).rejects.toMatchObject({ code: "BROKER_LOST" });
  await broker.kill("SIGKILL");
  await abortOf(reply);
  expect(reply.active()).toBe(false);
  await lost;
});

test("a long stream stops when its client has lost interest", async () => {
  const worker = new Worker(address, "endless", BRISK);
  stops.push(() => worker.stop());
  const stopped = new Promise<number>((resolve) => {
    worker.on("request", async (_data, reply) => {
      let sent = 0;
      while (reply.active()) {
        if (!reply.write(++sent)) await once(reply, "drain");
        await setImmediate();
      }
      resolve(sent);
    });
  });
  await worker.start();
  const client = await connected(address);

  const seen: unknown[] = [];
  for await (const part of client.request("endless")) {
    seen.push(part);
    if (seen.length === 3) break;
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(await stopped).toBeGreaterThanOrEqual(3);
});

/** A worker that answers nothing. @returns takes the next of its replies */
async function held(broker: string): Promise<() => Promise<Reply>> {
  const worker = new Worker(broker, "held", { ...BRISK, stopTimeoutMs: 0 });
  stops.push(() => worker.stop());
  const first = new Promise<Reply>((resolve) => worker.on("request", (_data, reply) => resolve(reply)));
  await worker.start();
  return () => first;
}

async function connected(broker: string): Promise<Client> {
  const client = new Client(broker, { ...BRISK, stopTimeoutMs: 0 });
  stops.push(() => client.stop());
  await client.start();
  return client;
}

async function abortOf({ signal }: Reply): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}
