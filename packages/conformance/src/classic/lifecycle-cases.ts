// Ends and recoveries: requests that expire, workers that die or leave, a broker that restarts. Each case has its own system
// with short heartbeats.

import { expect } from "vitest";
import { type Case, failureCode } from "./cases.ts";
import type { ClientPeer } from "./peers.ts";

export const LIFECYCLE_CASES: readonly Case[] = [
  {
    name: "a late reply to a request that has timed out is dropped",
    ourBrokerOnly: true,
    async run(system) {
      const worker = await system.worker("slow", "hold");
      await system.worker("echo", "echo");
      const client = await system.client();
      const outcome = await client.request("slow", 1, { timeout: 300 });
      expect(failureCode(outcome)).toBe(TIMEOUT_CODE[client.library]);
      expect(outcome.elapsedMs).toBeGreaterThanOrEqual(299);
      await worker.release();
      expect(await client.request("echo", "still here")).toMatchObject({ final: "still here" });
      expect(await client.errors()).toEqual([]);
    },
  },
  {
    name: "a request that expired in the queue is never delivered",
    ourBrokerOnly: true,
    async run(system) {
      const client = await system.client();
      const outcome = await client.request("no worker yet", "expired", { timeout: 150 });
      expect(failureCode(outcome)).toBe(TIMEOUT_CODE[client.library]);
      const worker = await system.worker("no worker yet", "echo");
      expect(await client.request("no worker yet", "in time")).toMatchObject({ final: "in time" });
      expect(await worker.received()).toEqual(["in time"]);
      expect(await client.errors()).toEqual([]);
    },
  },
  {
    name: "a request with retry survives the death of its worker",
    async run(system) {
      const victim = await system.mortalWorker("fragile", "exit");
      const client = await system.client();
      const outcome = client.request("fragile", 1, { retry: 1 });
      await victim.process.ended();
      await system.worker("fragile", "name", {}, "survivor");
      expect(await outcome).toMatchObject({ final: "survivor", error: undefined });
    },
  },
  {
    name: "a request without retry ends with WORKER_LOST when its worker dies",
    ourBrokerOnly: true,
    async run(system) {
      await system.mortalWorker("fragile", "exit");
      const client = await system.client();
      expect(failureCode(await client.request("fragile", 1))).toBe("WORKER_LOST");
    },
  },
  {
    name: "a request with retry leaves a worker that fell silent, and the late reply of that worker is dropped",
    ourBrokerOnly: true,
    async run(system) {
      const silent = await system.mortalWorker("held", "hold");
      const client = await system.client();
      const outcome = client.request("held", "question", { retry: 1 });
      await silent.until("held");
      silent.process.freeze();
      await system.worker("held", "name", {}, "survivor");
      expect(await outcome).toMatchObject({ final: "survivor", error: undefined });
      silent.process.thaw();
      await silent.release();
      await silent.until("connect", 2);
      await system.worker("echo", "echo");
      expect(await client.request("echo", "still here")).toMatchObject({ final: "still here" });
      expect(await client.errors()).toEqual([]);
    },
  },
  {
    name: "a request with retry moves on when its worker stops",
    ourBrokerOnly: true,
    async run(system) {
      const leaving = await system.worker("held", "hold", { stopTimeoutMs: 50 });
      const client = await system.client();
      const outcome = client.request("held", 1, { retry: 1 });
      await leaving.until("held");
      await Promise.all([leaving.stop(), system.worker("held", "name", {}, "staying")]);
      expect(await outcome).toMatchObject({ final: "staying", error: undefined });
    },
  },
  {
    name: "peers that noticed the loss of the broker come back to its successor",
    async run(system) {
      const worker = await system.worker("echo", "echo");
      const client = await system.client();
      await client.request("echo", "before");
      await system.stopBroker();
      await Promise.all([worker.until("disconnect"), client.until("disconnect")]);
      await system.replaceBroker();
      await Promise.all([worker.until("connect", 2), client.until("connect", 2)]);
      expect(await answered(client, "after")).toBe("after");
    },
  },
  {
    name: "peers serve again when the broker is replaced before they notice",
    async run(system) {
      const worker = await system.worker("echo", "echo");
      const client = await system.client();
      await client.request("echo", "before");
      await system.stopBroker();
      await system.replaceBroker();
      await worker.until("connect", 2);
      expect(await answered(client, "after")).toBe("after");
    },
  },
];

/** The failure of a request that has expired. The original's client uses its own clock and gets no notification (P-TIME-3). */
const TIMEOUT_CODE = { classic: "C_TIMEOUT", ours: "DEADLINE_EXCEEDED" } as const;

/** Repeats the request until one is answered, because the original drops what it sends without a connection. */
async function answered(client: ClientPeer, data: unknown, attempts = 10): Promise<unknown> {
  const outcome = await client.request("echo", data, { timeout: 500 });
  if (outcome.error === undefined || attempts === 1) return outcome.final;
  return answered(client, data, attempts - 1);
}
