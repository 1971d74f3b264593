// Clients that send as many stored requests without a timeout as the broker accepts, and leave: others are served meanwhile, also
// after a restart of the broker with the same store. Over tcp, with small bounds.

import { Broker, type BrokerOptions, MemoryStore } from "@pigato/broker";
import { expect, onTestFinished, test } from "vitest";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";

const FOREVER = JSON.stringify({ persist: 1, timeout: -1 });
const BOUNDS: BrokerOptions = { maxRequests: 200, maxStoredRequests: 400, maxStoredRequestsPerClient: 100 };

test("four clients that fill the store and are gone leave room for others, before and after a restart", async () => {
  const store = new MemoryStore();
  const { broker: first, address } = await startBroker({ ...BOUNDS, store, stopTimeoutMs: 100 });
  for (let index = 0; index < 4; index++) {
    const peer = connectRawPeer(address);
    for (let id = 0; id < 150; id++) await peer.send("C", "2", "nothing", `r${id}`, "1", FOREVER);
    await peer.roundTrip();
    peer.close();
  }
  await expect.poll(() => first.stats()).toMatchObject({ open: 400, refusals: { BUSY: 200 }, clients: 0 });
  await expectService(address);
  await first.stop();
  expect(await store.all()).toHaveLength(400);

  const second = new Broker(address, { ...BOUNDS, store, stopTimeoutMs: 100 });
  onTestFinished(() => second.stop());
  await second.start();
  expect(second.stats()).toMatchObject({ open: 400 });
  await expectService(address);
}, 30_000);

/** More requests at once than are left to clients with many, stored or not. */
async function expectService(address: string): Promise<void> {
  const worker = await startWorker(address, "echo", (data, reply) => reply.end(data));
  const client = await startClient(address);
  const numbers = Array.from({ length: 150 }, (_, number) => number);
  expect(await Promise.all(numbers.map((number) => client.call("echo", number)))).toEqual(numbers);
  expect(await client.call("echo", "kept", { persist: true })).toBe("kept");
  await client.stop();
  await worker.stop();
}
