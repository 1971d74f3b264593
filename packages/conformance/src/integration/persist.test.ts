// Requests that outlive their broker: two brokers with one store, one after the other at the same address.

import { MemoryStore } from "@pigato/broker";
import { RawPeer } from "@pigato/testkit/raw-peer";
import { describe, expect, onTestFinished, test } from "vitest";
import { failureCode } from "../classic/cases.ts";
import { type Library, LibraryProcess } from "../classic/library-process.ts";
import { startClassicClient, startClassicWorker } from "../classic/peers.ts";
import { connectRawPeer, type RunningBroker, startBroker, startClient, startWorker } from "../support/start.ts";

const PERSIST = { persist: 1 };
/** A store that reports when it has stored so many requests. */
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

function startBrokerWith(store: MemoryStore, address?: string): Promise<RunningBroker> {
  return startBroker({ store, stopTimeoutMs: 5_000 }, address);
}

describe("a request with persist", () => {
  test("is run by the next broker, and a client with the same id gets the reply once", async () => {
    const store = new WatchedStore();
    const first = await startBrokerWith(store);
    const before = new RawPeer(first.address, "fixed");
    await before.send("C", "2", "echo", "r1", '"data"', JSON.stringify(PERSIST));
    await store.hasStored(1);
    before.close();
    await first.broker.stop();

    const second = await startBrokerWith(store, first.address);
    expect(second.broker.stats()).toMatchObject({ open: 1 });
    const after = connectRawPeer(second.address, "fixed");
    await after.send("C", "2", "echo", "r1", '"data"', JSON.stringify(PERSIST));
    await after.roundTrip();
    let runs = 0;
    await startWorker(second.address, "echo", (data, reply) => {
      runs += 1;
      reply.end(data);
    });
    expect(await after.receive("C", "3", "", "r1")).toEqual(["C", "3", "", "r1", "0", '"data"', "{}"]);
    await after.roundTrip();
    expect(runs).toBe(1);
    expect(await store.size()).toBe(0);
  });

  test.each<Library>(["classic", "ours"])(
    "of a client of the %s library gets a reply and leaves the store",
    async (library) => {
      const store = new WatchedStore();
      const { address } = await startBrokerWith(store);
      const process = await LibraryProcess.start(library);
      onTestFinished(() => process.kill());
      const worker = await startClassicWorker(process, { address, service: "echo", behavior: "echo" });
      const client = await startClassicClient(process, { address });
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
      const first = await startBrokerWith(store);
      const process = await LibraryProcess.start(library);
      onTestFinished(() => process.kill());
      const client = await startClassicClient(process, { address: first.address });
      const failed = client.request("echo", { n: 1 }, PERSIST);
      await store.hasStored(1);
      await first.broker.stop();
      expect(failureCode(await failed)).toBe("CLOSED");
      const second = await startBrokerWith(store, first.address);
      const worker = await startClassicWorker(process, { address: second.address, service: "echo", behavior: "echo" });
      await worker.until("request");
      expect(await worker.received()).toEqual([{ n: 1 }]);
    },
  );

  test("fails with a typed error when the store fails", async () => {
    const store = new MemoryStore();
    store.set = () => Promise.reject(new Error("the disk is full"));
    const { address } = await startBrokerWith(store);
    const client = await startClient(address);
    await expect(client.call("echo", 1, { persist: true })).rejects.toMatchObject({
      code: "UNAVAILABLE",
      delivery: "not-sent",
      detail: "store",
    });
  });
});
