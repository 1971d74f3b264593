// Our client and worker with our broker, in each dialect that both support.

import type { DialectName } from "@pigato/client";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import { describe, expect, onTestFinished, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";
import { VERSIONS } from "./forms.ts";
import { startDialectBroker } from "./start.ts";

const DIALECTS: readonly DialectName[] = ["pigato", "mdp02", "mdp01", "omdp"];
const PAIRS = DIALECTS.flatMap((asked) => DIALECTS.map((serving) => ({ asked, serving })));

async function startPeers(asked: DialectName, serving: DialectName, handle: (data: unknown, reply: Reply) => unknown) {
  const bind = "tcp://127.0.0.1:*";
  const { broker, addresses } = await startBroker({}, [bind, { address: bind, dialect: "omdp" }]);
  const addressFor = (dialect: DialectName) => addresses[dialect === "omdp" ? 1 : 0] ?? "";
  const worker = await startWorker(addressFor(serving), "echo", handle, {
    dialect: serving,
    reconnect: 10,
    stopTimeoutMs: 100,
  });
  const client = await startClient(addressFor(asked), { dialect: asked, reconnect: 10 });
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

describe.each(VERSIONS)("a client of $name and a worker of pigato", (form) => {
  async function startFramed(handle: (data: unknown, reply: Reply) => unknown, options: WorkerOptions = {}) {
    const running = await startDialectBroker();
    await startWorker(running.address, "frames", handle, options);
    const client = running.connect();
    const ask = async (...body: readonly string[]) => {
      await client.send(...form.request, "frames", ...body);
      const reply = await client.next();
      const head = [form.final("frames"), form.partial?.("frames")].find((head) => startsWith(reply, head ?? ["-"]));
      return reply.slice(head?.length);
    };
    return { ask, client, address: running.address };
  }

  test("D-MAP-3: exchange several frames as bytes", async () => {
    const received: unknown[] = [];
    const { ask } = await startFramed((data, reply) => {
      received.push(data);
      reply.end([Buffer.from("200"), Buffer.from(""), Buffer.from("\xff", "latin1")]);
    });
    expect(await ask("echo", "", "\xff")).toEqual(["200", "", "\xff"]);
    expect(await ask("id")).toEqual(["200", "", "\xff"]);
    const bytes = ["echo", "", "\xff"].map((text) => Buffer.from(text, "latin1"));
    expect(received.map((data) => (Array.isArray(data) ? data.map((frame) => Buffer.from(frame)) : data))).toEqual([
      bytes,
      "id",
    ]);
  });

  test("D-MAP-3: exchange values, bytes, partials and errors", async () => {
    const { ask, client } = await startFramed((data, reply) => {
      if (data === "fail") throw new Error("no");
      reply.write([Buffer.from("part"), Buffer.from("2")]);
      reply.write({ a: 1 });
      reply.end(Buffer.from("plain"));
    });
    await client.send(...form.request, "frames", "fail");
    const parts = form.partial === undefined ? [] : [["part", "2"], ['{"a":1}']];
    const replies: (readonly string[])[] = [await ask("go")];
    const head = form.final("").length;
    while (replies.length <= parts.length) replies.push((await client.next()).slice(head));
    expect(replies).toEqual([...parts, ["plain"]]);
  });

  test("D-MAP-3: exchange JSON arrays if the worker does not negotiate, or the request has more than 50 frames", async () => {
    const echo = (data: unknown, reply: Reply) => reply.end(data);
    const classic = await startFramed(echo, { negotiate: false });
    expect(await classic.ask("one", "", "2")).toEqual(['["one","",2]']);
    const many = Array.from({ length: 51 }, () => "1");
    const { ask } = await startFramed(echo);
    expect(await ask(...many.slice(1))).toEqual(many.slice(1));
    expect(await ask(...many)).toEqual([JSON.stringify(many.map(Number))]);
  });

  test("D-MAP-3: a PIGATO client gets the frames of a cached reply as JSON", async () => {
    const { ask, address } = await startFramed((_data, reply) => {
      reply.opts.cache = 60_000;
      reply.end([Buffer.from("200"), Buffer.from("text")]);
    });
    expect(await ask("1")).toEqual(["200", "text"]);
    const client = await startClient(address);
    expect(await client.call("frames", 1)).toEqual([200, "text"]);
  });
});

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

function startsWith(frames: readonly string[], head: readonly string[]): boolean {
  return head.slice(0, -1).every((frame, index) => frame === frames[index]);
}
