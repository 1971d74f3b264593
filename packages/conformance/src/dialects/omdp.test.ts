// Our client and worker in the dialect of zmq-omdp: at a foreign broker, and with peers on plain sockets at our broker.

import type { Reply, RequestHandler, WorkerOptions } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { LOOPBACK, newClient, startBroker, startClient, startWorker } from "../support/start.ts";
import { OmdpBroker } from "./omdp-broker.ts";
import { newClient as plainClient, newWorker as plainWorker } from "./peers.ts";
import { bytePeer } from "./start.ts";

const OMDP = { dialect: "omdp", heartbeat: 50 } as const;

async function foreignBroker(): Promise<OmdpBroker> {
  const broker = await OmdpBroker.start();
  onTestFinished(() => broker.stop());
  return broker;
}

async function ownBroker(): Promise<string> {
  const { address } = await startBroker({ intch: false }, { address: LOOPBACK, dialect: "omdp" });
  return address;
}

function startOmdpWorker(address: string, handler: RequestHandler, options: WorkerOptions = {}) {
  return startWorker(address, "echo", handler, { ...OMDP, heartbeatLiveness: 60, ...options });
}

describe("D-PEER-8, D-PEER-10: at a foreign broker, our client and our worker", () => {
  test("exchange data, partials and errors, with many requests at once", async () => {
    const { address } = await foreignBroker();
    for (let count = 0; count < 3; count++) {
      await startOmdpWorker(address, (data, reply) => {
        if (data === "fail") throw new TypeError("no such thing");
        reply.write("part");
        reply.end(data);
      });
    }
    const client = await startClient(address, OMDP);
    const values = Array.from({ length: 30 }, (_, index) => ({ index, text: "ö" }));
    expect(await Promise.all(values.map((value) => client.collect("echo", value)))).toEqual(
      values.map((value) => ["part", value]),
    );
    await expect(client.call("echo", "fail")).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: "no such thing",
      detail: { name: "TypeError" },
    });
  });

  test("D-PEER-9: report the dispatch of a request, and heartbeats in both directions", async () => {
    const broker = await foreignBroker();
    const replies: Reply[] = [];
    await startOmdpWorker(broker.address, (_data, reply) => void replies.push(reply));
    const client = await startClient(broker.address, OMDP);
    const stream = client.request("echo", 1, { notices: true });
    await new Promise<void>((resolve) => stream.once("dispatched", () => resolve()));
    // The client's heartbeat for a request reaches the worker, which replies to it.
    await new Promise((resolve) => stream.once("heartbeat", resolve));
    expect(broker.received.some((line) => line.startsWith("C 4"))).toBe(true);
    replies[0]?.heartbeat();
    await new Promise((resolve) => stream.once("heartbeat", resolve));
    replies[0]?.end("done");
    const chunks: unknown[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks).toEqual(["done"]);
  });

  test("the worker registers again after DISCONNECT, and leaves with one", async () => {
    const broker = await foreignBroker();
    const worker = await startOmdpWorker(broker.address, (data) => data, { reconnect: 10 });
    const client = await startClient(broker.address, OMDP);
    expect(await client.call("echo", 1)).toBe(1);
    const again = new Promise<void>((resolve) => worker.once("connect", () => resolve()));
    broker.disconnectAll();
    await again;
    expect(await client.call("echo", 2)).toBe(2);
    await worker.stop();
    await expect.poll(() => broker.size).toBe(0);
    expect(broker.received.at(-1)).toBe("W 5");
  });

  test("options that the dialect cannot carry are a UsageError", async () => {
    const address = "tcp://127.0.0.1:1";
    const client = newClient(address, OMDP);
    for (const options of [{ codec: "raw" }, { codec: "msgpack" }] as const) {
      await expect(client.call("echo", 1, options)).rejects.toThrow("cannot be used with the dialect");
    }
    expect(() => newClient(address, { dialect: "omdp", negotiate: true })).toThrow("negotiate");
    expect(() => newClient(address, { dialect: "omdp", heartbeatLiveness: 3 })).toThrow("heartbeatLiveness");
  });
});

describe("at a listener of ours that is set to it", () => {
  test("our client calls a plain worker, and a plain client our worker", async () => {
    const address = await ownBroker();
    const worker = plainWorker("omdp", address, "plain");
    const client = await startClient(address, OMDP);
    const answer = client.call("plain", { a: 1 });
    const request = await worker.next();
    expect(request.body).toEqual(['{"a":1}']);
    await request.reply("final", '{"b":2}');
    expect(await answer).toEqual({ b: 2 });
    await startOmdpWorker(address, (data, reply) => reply.end([data]));
    const plain = plainClient("omdp", address);
    await plain.request("echo", "1");
    expect(await plain.receive()).toEqual({ kind: "final", body: ["[1]"] });
    for (const peer of [worker, plain]) peer.close();
  });

  test("D-PEER-9: a failure of the broker keeps its code", async () => {
    const client = await startClient(await ownBroker(), OMDP);
    await expect(client.call("absent", 1, { failFast: true })).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });

  test("D-MMI-6: a client asks about a service by its name", async () => {
    const address = await ownBroker();
    const client = await startClient(address, OMDP);
    expect(await client.call("mmi.echo")).toBe(400);
    await startOmdpWorker(address, () => 1);
    expect(await client.call("mmi.echo")).toBe(200);
    const native = await startBroker({ intch: false });
    const own = await startClient(native.address);
    expect(await own.call("mmi.echo")).toBe("400");
  });

  test("D-OMDP-6: a client that asked for notices gets a heartbeat at the dispatch, and those of its worker", async () => {
    const address = await ownBroker();
    const replies: Reply[] = [];
    await startOmdpWorker(address, (_data, reply) => void replies.push(reply));
    const socket = bytePeer(address);
    onTestFinished(() => socket.close());
    await socket.send("C", "2", "echo", "r1", "1", '{"notices":1}');
    expect(await socket.next()).toEqual(["C", "4", "r1"]);
    await expect.poll(() => replies.length).toBe(1);
    replies[0]?.heartbeat();
    expect(await socket.next()).toEqual(["C", "4", "r1"]);
    replies[0]?.end(2);
    expect(await socket.next()).toEqual(["C", "3", "r1", "0", "2"]);
    // The original fails on a type that it does not know, so only a client that asks gets them.
    await socket.send("C", "2", "echo", "r2", "1", "{}");
    await expect.poll(() => replies.length).toBe(2);
    replies[1]?.heartbeat();
    replies[1]?.end(3);
    expect(await socket.next()).toEqual(["C", "3", "r2", "0", "3"]);
  });
});
