// Requests that outlive their broker: two brokers, one after the other at one address, with one store.

import { Broker, MemoryStore } from "@pigato/broker";
import { Client } from "@pigato/client";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { Worker } from "@pigato/worker";
import { afterEach, describe, expect, test } from "vitest";
import { failureCode } from "../classic/cases.ts";
import { type Library, PeerProcess } from "../classic/peer-process.ts";
import { startClassicClient, startClassicWorker } from "../classic/peers.ts";

const PERSIST = { persist: 1 };
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A store that says when it has taken so many requests. */
class WatchedStore extends MemoryStore {
  #stored = 0;
  #onStored: () => void = () => {};

  override async set(...entry: Parameters<MemoryStore["set"]>): Promise<void> {
    await super.set(...entry);
    this.#stored += 1;
    this.#onStored();
  }

  async hasStored(count: number): Promise<void> {
    while (this.#stored < count) {
      await new Promise<void>((resolve) => {
        this.#onStored = resolve;
      });
    }
  }

  async size(): Promise<number> {
    return (await this.all()).length;
  }
}

async function startBroker(store: MemoryStore, address = "tcp://127.0.0.1:*"): Promise<Broker & { at: string }> {
  const broker = new Broker(address, { store });
  await broker.start();
  closing.push(() => broker.stop());
  return Object.assign(broker, { at: broker.addresses[0] ?? "" });
}

describe("a request to be kept", () => {
  test("is run by the next broker, and a client that has its old id gets the answer, once", async () => {
    const store = new WatchedStore();
    const first = await startBroker(store);
    const before = new RawPeer(first.at, "fixed");
    await before.send("C", "2", "echo", "r1", '"data"', JSON.stringify(PERSIST));
    await store.hasStored(1);
    before.close();
    await first.stop();

    const second = await startBroker(store, first.at);
    expect(second.stats()).toMatchObject({ open: 1 });
    const after = new RawPeer(second.at, "fixed");
    closing.push(() => after.close());
    await after.send("C", "2", "echo", "r1", '"data"', JSON.stringify(PERSIST));
    await after.roundTrip();
    const worker = new Worker(second.at, "echo");
    let runs = 0;
    worker.on("request", (data, reply) => {
      runs += 1;
      reply.end(data);
    });
    closing.push(() => worker.stop());
    await worker.start();
    expect(await after.receive("C", "3", "", "r1")).toEqual(["C", "3", "", "r1", "0", '"data"', "{}"]);
    await after.roundTrip();
    expect(runs).toBe(1);
    expect(await store.size()).toBe(0);
  });

  test.each<Library>(["classic", "ours"])(
    "of a client of the %s library is answered, and not kept longer",
    async (library) => {
      const store = new WatchedStore();
      const { at } = await startBroker(store);
      const process = await PeerProcess.fork(library);
      closing.push(() => process.kill());
      const worker = await startClassicWorker(process, { address: at, service: "echo", behaviour: "echo" });
      const client = await startClassicClient(process, { address: at });
      expect(await client.request("echo", { n: 1 }, PERSIST)).toMatchObject({ final: { n: 1 }, error: undefined });
      await store.hasStored(1);
      expect(await worker.received()).toEqual([{ n: 1 }]);
      expect(await store.size()).toBe(0);
    },
  );

  test.each<Library>(["classic", "ours"])(
    "of a client of the %s library reaches a worker after a restart",
    async (library) => {
      const store = new WatchedStore();
      const first = await startBroker(store);
      const process = await PeerProcess.fork(library);
      closing.push(() => process.kill());
      const client = await startClassicClient(process, { address: first.at });
      const failed = client.request("echo", { n: 1 }, PERSIST);
      await store.hasStored(1);
      await first.stop();
      expect(failureCode(await failed)).toBe("CLOSED");
      const second = await startBroker(store, first.at);
      const worker = await startClassicWorker(process, { address: second.at, service: "echo", behaviour: "echo" });
      await worker.until("request");
      expect(await worker.received()).toEqual([{ n: 1 }]);
    },
  );

  test("is refused in a typed way by a store that fails", async () => {
    const store = new MemoryStore();
    store.set = () => Promise.reject(new Error("the disk is full"));
    const { at } = await startBroker(store);
    const client = new Client(at);
    closing.push(() => client.stop());
    await client.start();
    await expect(client.call("echo", 1, { persist: true })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      delivery: "not-sent",
      detail: "store",
    });
  });
});
