// The client and the worker of the original and ours send the same frames in the same order, over every transport. The expected
// frames are recorded from the original within the test.

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { type ClassicLibrary, type ClassicReply, happened, LIBRARIES } from "./libraries.ts";
import { anonymous, MockBroker } from "./mock-broker.ts";

const folder = mkdtempSync(join(tmpdir(), "pigato-frames-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ADDRESSES: Readonly<Record<string, () => string>> = {
  tcp: () => "tcp://127.0.0.1:*",
  ipc: () => `ipc://${join(folder, crypto.randomUUID())}`,
  inproc: () => `inproc://#${crypto.randomUUID()}`,
};

const brokers: MockBroker[] = [];
const peers: { stop(): void }[] = [];

afterEach(() => {
  for (const peer of peers.splice(0)) peer.stop();
  for (const broker of brokers.splice(0)) broker.close();
});

async function mockBroker(scheme: string): Promise<MockBroker> {
  const broker = await MockBroker.at(ADDRESSES[scheme]?.() ?? "");
  brokers.push(broker);
  return broker;
}

/** A client connects, sends requests of every kind and heartbeats for them, and disconnects. */
async function clientFrames(library: ClassicLibrary, scheme: string): Promise<string[]> {
  const broker = await mockBroker(scheme);
  const client = new library.Client(broker.address, { prefix: "Cmine" });
  peers.push(client);
  const connected = happened(client, "connect");
  client.start();
  await connected;
  expect(broker.peer).toBe(client.socketId);
  expect(broker.peer).toMatch(/^Cmine-/);

  const roles: Record<string, string> = {};
  const seen = async (name: string, start: readonly string[]): Promise<string> => {
    const [, , , id = ""] = await broker.receive(["C", "2", ...start]);
    roles[id] = name;
    return id;
  };
  const stream = client.request("echo", { foo: "bar" }, { workerId: "W1", retry: 1, mine: [1] });
  const ended = once(stream, "end");
  const chunks: unknown[] = [];
  stream.on("data", (chunk) => chunks.push(chunk));
  const first = await seen("the first", ["echo"]);
  stream.heartbeat();
  await broker.receive(["C", "4", "request", first]);
  await broker.send("C", "6", "", first, "0", '"a part"', "{}");
  await broker.send("C", "3", "", first, "0", '"the end"', "{}");
  await ended;
  expect(chunks).toEqual(["a part", "the end"]);

  const reported: unknown[] = [];
  const final = new Promise<void>((resolve) => {
    client.request(
      "none",
      undefined,
      (...part) => reported.push(part),
      (...end) => resolve(void reported.push(end)),
    );
  });
  const second = await seen("the second", ["none"]);
  await broker.send("C", "6", "", second, "0", '"a part"', "{}");
  await broker.send("C", "3", "", second, "-1", '"why not"', "{}");
  await final;
  expect(reported).toEqual([
    [null, "a part"],
    ["why not", null],
  ]);

  client.conf.timeout = 5000;
  client.request("later", Buffer.from("hi"), { timeout: -1 }).on("error", () => {});
  client.request("later still").on("error", () => {});
  await seen("the third", ["later"]);
  await seen("the fourth", ["later still"]);
  client.heartbeat("another's");
  await broker.receive(["C", "4", "request", "another's"]);
  return anonymous(broker.messages, roles);
}

/** A worker registers, replies to requests in every way, sends heartbeats, and disconnects. */
async function workerFrames(library: ClassicLibrary, scheme: string): Promise<string[]> {
  const broker = await mockBroker(scheme);
  const worker = new library.Worker(broker.address, "echo", { prefix: "Wmine", concurrency: 7 });
  peers.push(worker);
  const got: unknown[] = [];
  worker.on("request", (data: unknown, reply: ClassicReply, options: unknown) => {
    got.push([data, options]);
    answers[String(data)]?.(reply);
  });
  const connected = happened(worker, "connect");
  worker.start();
  await connected;
  expect(broker.peer).toBe(worker.socketId);
  expect(broker.peer).toMatch(/^Wmine-/);

  for (const [index, data] of Object.keys(answers).entries()) {
    await broker.send(
      "W",
      "2",
      "C1",
      "echo",
      "",
      `r${index}`,
      JSON.stringify(data),
      '{"timeout":60000,"retry":0,"mine":1}',
    );
    await broker.receive(["W", data === "reject" ? "7" : "3", "C1", "", `r${index}`]);
  }
  await broker.send("W", "2", "C1", "echo", "", "without");
  await broker.receive(["W", "3", "C1", "", "without"]);
  await broker.send("W", "2", "C1", "echo", "", "undefined", "undefined", "");
  await broker.receive(["W", "3", "C1", "", "undefined"]);
  expect(got).toEqual([
    ...Object.keys(answers)
      .filter((data) => data !== "null")
      .map((data) => [data, { timeout: 60_000, retry: 0, mine: 1 }]),
    ["null", { timeout: 60_000, retry: 0, mine: 1 }],
    [null, {}],
    [null, {}],
  ]);
  const before = broker.messages.length;
  worker.heartbeat();
  await broker.receive(["W", "4"], before);
  worker.stop();
  await broker.receive(["W", "5"]);
  return anonymous(broker.messages, {});
}

/** The reply of a handler to each word. Missing data is read as the word `null`. */
const answers: Readonly<Record<string, (reply: ClassicReply) => void>> = {
  value: (reply) => reply.end({ a: ["value"] }),
  parts: (reply) => {
    reply.write("one");
    reply.write({ two: 2 });
    reply.end("three");
  },
  nothing: (reply) => reply.end(),
  empty: (reply) => reply.end(""),
  cached: (reply) => {
    reply.opts.cache = 1000;
    reply.end(1);
  },
  heartbeat: (reply) => {
    reply.heartbeat();
    reply.end("beaten");
  },
  error: (reply) => reply.error("why not"),
  reject: (reply) => reply.reject("not mine"),
  null: (reply) => reply.end("nothing came"),
};

describe.each(Object.keys(ADDRESSES))("over %s", (scheme) => {
  test("our client sends the same frames as the original's client", async () => {
    const classic = await clientFrames(LIBRARIES.classic, scheme);
    expect(await clientFrames(LIBRARIES.ours, scheme)).toEqual(classic);
    expect(classic.length).toBeGreaterThan(6);
  });

  test("our worker sends the same frames as the original's worker", async () => {
    const classic = await workerFrames(LIBRARIES.classic, scheme);
    expect(await workerFrames(LIBRARIES.ours, scheme)).toEqual(classic);
    expect(classic.length).toBeGreaterThan(15);
  });
});
