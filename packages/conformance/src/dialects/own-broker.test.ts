// Our client and worker with our broker, in each dialect that both support.

import type { DialectName } from "@pigato/client";
import { type Reply, Worker } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

const DIALECTS: readonly DialectName[] = ["pigato", "mdp02", "mdp01"];
const PAIRS = DIALECTS.flatMap((asked) => DIALECTS.map((serving) => ({ asked, serving })));

async function startPeers(asked: DialectName, serving: DialectName, handle: (data: unknown, reply: Reply) => unknown) {
  const { broker, address } = await startBroker();
  const worker = await startWorker(address, "echo", handle, { dialect: serving, reconnect: 10, stopTimeoutMs: 100 });
  const client = await startClient(address, { dialect: asked, reconnect: 10 });
  return { broker, worker, client };
}

describe.each(PAIRS)("a client of $asked and a worker of $serving", ({ asked, serving }) => {
  test("exchange data, with a hundred requests at once", async () => {
    const { client } = await startPeers(asked, serving, (data, reply) => reply.end(data));
    const values = Array.from({ length: 100 }, (_, index) => ({ index, text: "ö" }));
    expect(await Promise.all(values.map((value) => client.call("echo", value)))).toEqual(values);
  });
});

describe.each(PAIRS.filter(({ serving }) => serving !== "mdp01"))(
  "a client of $asked and a worker of $serving",
  ({ asked, serving }) => {
    test("exchange partials if the client's dialect has them", async () => {
      const { client } = await startPeers(asked, serving, (_data, reply) => {
        reply.write("one");
        reply.write("two");
        reply.end("three");
      });
      expect(await client.collect("echo")).toEqual(asked === "mdp01" ? ["three"] : ["one", "two", "three"]);
    });
  },
);

test("a Majordomo worker that stops receives no more requests, and another one serves", async () => {
  const { broker, worker, client } = await startPeers("pigato", "mdp02", (_data, reply) => reply.end("first"));
  expect(await client.call("echo")).toBe("first");
  const [address = ""] = broker.addresses;
  const other = new Worker(address, "echo", { dialect: "mdp01" });
  other.on("request", (_data, reply) => reply.end("other"));
  onTestFinished(() => other.stop());
  await worker.stop();
  const answer = client.call("echo");
  await other.start();
  expect(await answer).toBe("other");
});

test.each(["mdp02", "mdp01"] as const)("D-PEER-3: %s: heartbeats and broadcasts are a UsageError", async (dialect) => {
  const { client } = await startPeers(dialect, "pigato", (data, reply) => reply.end(data));
  expect(() => client.heartbeat()).toThrow(`heartbeat() cannot be used with the dialect "${dialect}"`);
  expect(() => client.broadcast("echo")).toThrow("broadcast() cannot be used");
  const stream = client.request("echo", 1);
  expect(() => stream.heartbeat()).toThrow("heartbeat() cannot be used");
  expect(await stream.toArray()).toEqual([1]);
});
