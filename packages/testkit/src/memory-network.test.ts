import { expect, test } from "vitest";
import { MemoryNetwork } from "./memory-network.ts";

const ADDRESS = "inproc://echo";

test("a memory network throws when its peers answer each other without end", async () => {
  const network = new MemoryNetwork();
  await startEcho(network);
  expect(() => network.deliver()).toThrow("the peers answer each other without end");
});

test("a memory network that delivers by itself throws as well", async () => {
  const listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
  await startEcho(new MemoryNetwork({ auto: true }));
  expect(await uncaught).toEqual(new Error("the peers answer each other without end"));
  for (const listener of listeners) process.on("uncaughtException", listener);
});

/** A router and a dealer that return every message. */
async function startEcho(network: MemoryNetwork): Promise<void> {
  const router = network.router({ onMessage: (peer, frames) => router.send(peer, frames) });
  const dealer = network.dealer({ onMessage: (frames) => dealer.send(frames) }, { routingId: "echo" });
  await router.bind(ADDRESS);
  dealer.connect(ADDRESS);
  // Each answer waits for a microtask of its own, as in a peer that calls its user.
  dealer.send([Buffer.from("again")]);
}
