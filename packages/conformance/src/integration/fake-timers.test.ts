// Peers in a program whose tests replace timers and clocks. Sockets stay real then, so peers must, too.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const REPLACED = [
  "setTimeout",
  "clearTimeout",
  "setInterval",
  "clearInterval",
  "setImmediate",
  "clearImmediate",
  "queueMicrotask",
  "performance",
  "Date",
] as const;

beforeEach(() => void vi.useFakeTimers({ toFake: [...REPLACED] }));
afterEach(() => void vi.useRealTimers());

test.each(["zmtp", "libzmq"] as const)("peers over %s start, work and stop under fake timers", async (transport) => {
  const { broker, address } = await startBroker({ transport });
  const worker = await startWorker(address, "echo", (data, reply) => reply.end(data), { transport });
  const client = await startClient(address, { transport });
  expect(await client.call("echo", "hello")).toBe("hello");
  await client.stop();
  await worker.stop();
  await broker.stop();
});

test("a timeout passes in real time under fake timers", async () => {
  const { address } = await startBroker();
  const client = await startClient(address);
  await expect(client.call("missing", null, { timeout: 20 })).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
});
