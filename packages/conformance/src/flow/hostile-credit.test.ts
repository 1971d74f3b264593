// Invalid grants over sockets. The broker drops and reports each; it affects no other peer, and gives its sender nothing that a
// valid grant could not.

import { once } from "node:events";
import type { Broker } from "@pigato/broker";
import { type Reply, Worker } from "@pigato/worker";
import { expect, test } from "vitest";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";
import { PATIENTLY, SERVICE } from "./parts.ts";

/** A worker that writes a chunk whenever it may, and a stream of a regular client that waits there. */
async function startStream() {
  const running = await startBroker();
  const drops: string[] = [];
  running.broker.on("drop", ({ peer, reason }) => drops.push(`${peer} ${reason}`));
  const written = new Map<unknown, number>();
  await startWorker(running.address, SERVICE, async (name, reply: Reply) => {
    for (let number = 0; reply.active(); number++) {
      const goesOn = reply.write(number);
      written.set(name, number + 1);
      // Waits for credit, or for other streams to take their turn.
      if (goesOn) await new Promise(setImmediate);
      else await once(reply, "drain").catch(() => {});
    }
  });
  const client = await startClient(running.address);
  const stream = client.request("rows", "honest");
  await expect.poll(() => written.get("honest"), PATIENTLY).toBe(16);
  return { running, drops, written, stream };
}

/** A raw client that has negotiated these capabilities. */
async function raw(address: string, id: string, offer: string) {
  const peer = connectRawPeer(address, id);
  await peer.send("C", "4", `pigato/1 ${offer}`);
  await peer.receive("C", "4");
  return peer;
}

async function open(broker: Broker): Promise<number | undefined> {
  return broker.stats()?.open;
}

test("the broker drops and reports grants for other clients' and ended requests, and grants of zero or invalid numbers", async () => {
  const { running, drops, written, stream } = await startStream();
  const mallory = await raw(running.address, "M", "credit cancel error");
  await mallory.send("C", "2", "rows", "mine", '"mallory"', "{}", "credit=2");
  await expect.poll(() => written.get("mallory"), PATIENTLY).toBe(2);
  await mallory.send("C", "9", "theirs", "1000");
  for (const grant of ["0", "-5", "1e9x", "", "0x", "1.5", "9".repeat(40)]) await mallory.send("C", "9", "mine", grant);
  await mallory.send("C", "9", "mine");
  await mallory.send("C", "8", "mine");
  await mallory.send("C", "9", "mine", "5");
  await mallory.roundTrip();
  expect(drops).toEqual(["M not-open", ...Array.from({ length: 8 }, () => "M void-credit"), "M not-open"]);
  expect([written.get("mallory"), written.get("honest")]).toEqual([2, 16]);
  expect(await open(running.broker)).toBe(1);
  stream.destroy();
});

test("a very large grant, or many with a very large sum, only ends the flow control of its sender", async () => {
  const { running, drops, written, stream } = await startStream();
  const mallory = await raw(running.address, "M", "credit cancel error");
  await mallory.send("C", "2", "rows", "mine", '"mallory"', "{}", "credit=999999999999999");
  await mallory.send("C", "2", "rows", "other", '"second"', "{}", "credit=1");
  for (let grant = 0; grant < 3; grant++) await mallory.send("C", "9", "other", "2000000000");
  await expect
    .poll(() => Math.min(written.get("mallory") ?? 0, written.get("second") ?? 0), PATIENTLY)
    .toBeGreaterThan(50);
  await mallory.send("C", "9", "mine", "5");
  await mallory.send("C", "5");
  await expect.poll(() => open(running.broker), PATIENTLY).toBe(1);
  expect(drops).toContain("M void-credit");
  expect(written.get("honest")).toBe(16);
  stream.destroy();
});

test("a grant for a queued request counts when the request runs, and a grant of a peer without the capability never does", async () => {
  const { running, drops, written, stream } = await startStream();
  const mallory = await raw(running.address, "M", "credit cancel");
  await mallory.send("C", "2", "later", "r1", '"queued"', "{}", "credit=2");
  await mallory.send("C", "9", "r1", "3");
  const classic = connectRawPeer(running.address, "C");
  await classic.send("C", "2", "rows", "r1", '"classic"', "{}", "credit=1");
  await classic.send("C", "9", "r1", "1");
  // It has no flow control.
  await expect.poll(() => written.get("classic"), PATIENTLY).toBeGreaterThan(20);
  await mallory.roundTrip();
  expect(drops).toEqual(["C unsupported"]);
  const later = new Worker(running.address, "later", { stopTimeoutMs: 0 });
  let count = 0;
  later.on("request", (_data, reply) => {
    while (reply.write(count)) count += 1;
  });
  await later.start();
  await expect.poll(() => count, PATIENTLY).toBe(4);
  await later.stop();
  stream.destroy();
});
