// Several partial replies in one message (P-REP-9), over tcp: raw sockets at one end, ours at the other.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { Worker } from "@pigato/worker";
import { afterEach, beforeEach, expect, test } from "vitest";

const stops: (() => unknown)[] = [];
let address = "";

beforeEach(async () => {
  const broker = new Broker("tcp://127.0.0.1:*", { intch: false });
  await broker.start();
  stops.push(() => broker.stop());
  [address = ""] = broker.addresses;
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A worker of raw frames that answers one request with three partial replies in one message, and their end. */
async function rawWorker(): Promise<void> {
  const worker = new RawPeer(address, "a-worker");
  stops.push(() => worker.close());
  await worker.send("W", "1", "count", "pigato/1 partials");
  expect((await worker.receive("W", "1"))[2]).toMatch(/^pigato\/1 partials( |$)/);
  void worker.receive("W", "2").then(async ([, , token = "", , , id = ""]) => {
    await worker.send("W", "13", token, "", id, "{}", "1", "2", "3");
    await worker.send("W", "3", token, "", id, "0", "null", "{}");
  });
}

/** A worker of ours that counts to three. */
async function ourWorker(): Promise<void> {
  const worker = new Worker(address, "count");
  worker.on("request", (_, reply) => {
    for (const number of [1, 2, 3]) reply.write(number);
    reply.end(null);
  });
  await worker.start();
  stops.push(() => worker.stop());
}

async function rawClient(...greeting: string[]): Promise<RawPeer> {
  const client = new RawPeer(address, "a-client");
  stops.push(() => client.close());
  await client.send("C", "4", ...greeting);
  await client.receive("C", "4");
  await client.send("C", "2", "count", "r1", "null", "{}");
  return client;
}

test.each([
  ["a raw worker", rawWorker],
  ["ours", ourWorker],
])("of %s reach a raw client that negotiated them as one message", async (_, start) => {
  await start();
  const client = await rawClient("pigato/1 partials error cancel");
  expect(await client.receive("C", "13")).toEqual(["C", "13", "", "r1", "{}", "1", "2", "3"]);
  expect(await client.receive("C", "3")).toEqual(["C", "3", "", "r1", "0", "null", "{}"]);
});

test.each([
  ["a raw worker", rawWorker],
  ["ours", ourWorker],
])("of %s reach an old client one by one", async (_, start) => {
  await start();
  const client = await rawClient();
  for (const number of ["1", "2", "3"]) {
    expect(await client.receive("C", "*")).toEqual(["C", "6", "", "r1", "0", number, "{}"]);
  }
  expect(await client.receive("C", "*")).toEqual(["C", "3", "", "r1", "0", "null", "{}"]);
});

test("of a raw worker reach our client, which takes no more once its caller has left", async () => {
  await rawWorker();
  const client = new Client(address);
  await client.start();
  stops.push(() => client.stop());
  const seen: unknown[] = [];
  for await (const part of client.request("count")) {
    seen.push(part);
    if (part === 2) break;
  }
  expect(seen).toEqual([1, 2]);
});
