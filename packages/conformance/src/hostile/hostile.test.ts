// Hostile messages to a live broker. The broker stays up, its memory stays bounded, and it serves an unrelated client and
// worker throughout.

import { Client } from "@pigato/client";
import { type RawFrame, RawPeer } from "@pigato/testkit/raw-peer";
import { Worker } from "@pigato/worker";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type BrokerProcess, spawnBroker } from "../support/spawn.ts";

/** How much the broker's memory may grow during an attack, and how much of that may remain. */
const MAX_GROWTH_MIB = 150;

let broker: BrokerProcess;
let worker: Worker;
let client: Client;
let peers: RawPeer[] = [];
let nextPeer = 1;

beforeAll(async () => {
  broker = await spawnBroker("--log-level", "fatal", "--max-queued-per-service", "1000");
  worker = new Worker(broker.address, "witness");
  worker.on("request", (data, reply) => reply.end(data));
  client = new Client(broker.address);
  await Promise.all([worker.start(), client.start()]);
});

afterEach(() => {
  for (const peer of peers) peer.close();
  peers = [];
});

afterAll(async () => {
  await client.stop();
  await worker.stop();
  await broker.kill("SIGTERM");
});

describe("malformed messages", () => {
  const junk: [string, RawFrame[]][] = [
    ["an unknown tag", ["X", "2", "echo", "r1", "1"]],
    ["one empty frame", [""]],
    ["many empty frames", Array.from({ length: 50 }, () => "")],
    ["a tag alone", ["C"]],
    ["a worker's tag alone", ["W"]],
    ["an unknown type", ["C", "99"]],
    ["a type that is no number", ["W", "READY"]],
    ["a request without frames", ["C", "2"]],
    ["a request without a body", ["C", "2", "witness", "r1"]],
    ["a READY without a service", ["W", "1"]],
    ["a READY with an empty service", ["W", "1", ""]],
    ["a reply without frames", ["W", "3"]],
    ["bytes that are not UTF-8", [Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.from([0xc3, 0x28])]],
    [
      "a request of bytes that are not UTF-8",
      ["C", "2", Buffer.from([0xff]), Buffer.from([0xfe]), Buffer.from([0xc3])],
    ],
    ["a service name of 1 MB", ["C", "2", "x".repeat(1_000_000), "r1", "1", "{}"]],
    ["a request id of 1 MB", ["C", "2", "witness", "x".repeat(1_000_000), "1", "{}"]],
    ["another dialect", ["", "MDPC01", "witness", "1"]],
    ["a heartbeat whose settings are null", ["W", "4", "", "null"]],
    ["a heartbeat about nothing known", ["C", "4", "req", "x"]],
    ["a cancel of nothing", ["C", "8", "x"]],
    ["streamed input for nothing", ["C", "10", "x", "1"]],
  ];

  test.each(junk)("%s", async (_what, frames) => {
    const peer = connect();
    for (let times = 0; times < 100; times++) await peer.send(...frames);
    await expectOthersServed();
  });

  test("a message of 100,000 frames", async () => {
    const before = broker.residentMiB;
    const peer = connect();
    for (const tag of ["C", "W", "X"]) {
      await peer.send(tag, "2", ...Array.from({ length: 100_000 }, () => "x"));
    }
    await peer.roundTrip();
    await expectOthersServed();
    expect(broker.residentMiB - before).toBeLessThan(MAX_GROWTH_MIB);
  });
});

describe("names", () => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "$dir", "a".repeat(255)])(
    "a service called %s is treated like any other service",
    async (service) => {
      const client = connect();
      await client.send("C", "2", service, "early", "1", "{}");
      const server = connect();
      await server.send("W", "1", service);
      await server.receive("W", "1");
      await server.send("W", "4", "", '{"concurrency":1}');
      const [, , address = "", name, , id = ""] = await server.receive("W", "2");
      expect([name, id]).toEqual([service, "early"]);
      await server.send("W", "3", address, "", id, "0", '"served"', "{}");
      expect(await client.receive("C", "3")).toEqual(["C", "3", "", "early", "0", '"served"', "{}"]);
    },
  );

  test.each(["__proto__", "constructor"])("a request id %s is treated like any other id", async (id) => {
    const client = connect();
    await client.send("C", "2", "witness", id, '"x"', "{}");
    expect((await client.receive("C", "3", "", id)).slice(4, 6)).toEqual(["0", '"x"']);
  });

  test("10,000 services without workers use little memory, and are removed with their requests", async () => {
    const before = broker.residentMiB;
    const peer = connect();
    for (let service = 0; service < 10_000; service++) {
      await peer.send("C", "2", `junk-${service}`, `r${service}`, "1", '{"timeout":1000}');
    }
    await peer.roundTrip();
    await expectOthersServed();
    expect(broker.residentMiB - before).toBeLessThan(MAX_GROWTH_MIB);
  });
});

describe("options", () => {
  test.each([
    ["not JSON", "{nope"],
    ["null", "null"],
    ["a number", "7"],
    ["of the wrong types", '{"timeout":"soon","retry":{},"workerId":7,"persist":[]}'],
    ["with a prototype", '{"__proto__":{"timeout":0},"constructor":{"prototype":1}}'],
    ["deeply nested", "[".repeat(30_000) + "]".repeat(30_000)],
  ])("%s: the request is served with the default options", async (_what, options) => {
    const peer = connect();
    await peer.send("C", "2", "witness", "r1", '"data"', options);
    expect((await peer.receive("C", "3", "", "r1")).slice(4, 6)).toEqual(["0", '"data"']);
  });

  test("1 MB of nested options: the request is rejected", async () => {
    const peer = connect();
    const nesting = "[".repeat(500_000) + "]".repeat(500_000);
    await peer.send("C", "2", "witness", "r1", '"data"', nesting);
    expect(await peer.receive("C", "3")).toEqual(["C", "3", "", "r1", "-1", '"INVALID"']);
    await expectOthersServed();
  });
});

describe("requests of other peers", () => {
  test("two clients with the same request id each get their own reply", async () => {
    const [alice, mallory] = [connect(), connect()];
    await Promise.all([
      alice.send("C", "2", "witness", "same", '"alice"', "{}"),
      mallory.send("C", "2", "witness", "same", '"mallory"', "{}"),
    ]);
    expect((await alice.receive("C", "3"))[5]).toBe('"alice"');
    expect((await mallory.receive("C", "3"))[5]).toBe('"mallory"');
  });

  test("a client cannot cancel the request of another", async () => {
    const { server, client, request } = await held("cancel-other");
    const mallory = connect();
    await mallory.send("C", "8", "r1");
    await mallory.roundTrip();
    await server.send(...answerTo(request, '"mine"'));
    expect((await client.receive("C", "3"))[5]).toBe('"mine"');
  });

  test("a worker cannot reply to a request of another worker", async () => {
    const { server, client, request } = await held("forge");
    const forger = connect();
    await forger.send("W", "1", "forge");
    await forger.receive("W", "1");
    await forger.send(...answerTo(request, '"forged"'));
    await forger.send("W", "3", "", "", "r1", "0", '"forged by id"', "{}");
    // It stays registered: the broker only drops a reply to a request that the worker does not hold.
    await forger.send("W", "4", "", '{"concurrency":1}');
    await forger.receive("W", "4");
    await server.send(...answerTo(request, '"real"'));
    expect((await client.receive("C", "3"))[5]).toBe('"real"');
  });

  test("a reply arrives once, however often the worker sends it", async () => {
    const { server, client, request } = await held("twice");
    await server.send(...answerTo(request, '"first"'));
    await server.send(...answerTo(request, '"second"'));
    await server.send("W", "4", "", "{}");
    await server.receive("W", "4");
    await client.roundTrip();
    expect((await client.receive("C", "3"))[5]).toBe('"first"');
    expect(client.received).toEqual([]);
  });
});

describe("invalid sequences of a worker", () => {
  test("a second READY changes nothing", async () => {
    const { server, client, request } = await held("again");
    await server.send("W", "1", "again");
    await server.send("W", "1", "other");
    await server.send(...answerTo(request, '"still here"'));
    expect((await client.receive("C", "3"))[5]).toBe('"still here"');
  });

  test.each([
    ["a heartbeat", ["W", "4", "", "{}"]],
    ["a reply", ["W", "3", "~1", "", "r1", "0", "1", "{}"]],
    ["a reject", ["W", "7", "~1", "", "r1", "0", "null"]],
    ["junk", ["W", "77"]],
  ])("%s before READY is answered by DISCONNECT", async (_what, frames) => {
    const peer = connect();
    await peer.send(...frames);
    expect(await peer.receive()).toEqual(["W", "5"]);
  });

  test("a DISCONNECT is never answered", async () => {
    const peer = connect();
    await peer.send("W", "5");
    await peer.send("W", "1", "bye");
    await peer.receive("W", "1");
    await peer.send("W", "5");
    await peer.roundTrip();
    expect(peer.received).toEqual([]);
  });

  test("a message that does not decode ends the worker's registration, and its request fails", async () => {
    const { server, client } = await held("broken");
    await server.send("W", "3", "~");
    expect(await server.receive("W", "5")).toEqual(["W", "5"]);
    expect((await client.receive("C", "3")).slice(3)).toEqual(["r1", "-1", '"WORKER_LOST"']);
  });
});

test("a flood of requests for a service without workers is bounded, and rejected with BUSY", async () => {
  const before = broker.residentMiB;
  const peer = connect();
  const body = JSON.stringify("x".repeat(1000));
  for (let number = 0; number < 20_000; number++) {
    await peer.send("C", "2", "nothing", `r${number}`, body, '{"timeout":600000}');
  }
  await peer.roundTrip();
  expect(peer.received.filter((frames) => frames[5] === '"BUSY"').length).toBe(19_000);
  expect(broker.residentMiB - before).toBeLessThan(MAX_GROWTH_MIB);
  await expectOthersServed();
});

function connect(): RawPeer {
  const peer = new RawPeer(broker.address, `raw-${nextPeer++}`);
  peers.push(peer);
  return peer;
}

/** A request that a raw worker has received and not answered yet. */
async function held(service: string): Promise<{ server: RawPeer; client: RawPeer; request: string[] }> {
  const server = connect();
  await server.send("W", "1", service);
  await server.receive("W", "1");
  await server.send("W", "4", "", '{"concurrency":10}');
  const client = connect();
  await client.send("C", "2", service, "r1", '"data"', "{}");
  const request = await server.receive("W", "2");
  return { server, client, request };
}

function answerTo(request: readonly string[], body: string): string[] {
  return ["W", "3", request[2] ?? "", "", request[5] ?? "", "0", body, "{}"];
}

async function expectOthersServed(): Promise<void> {
  const answers = await Promise.all([1, 2, 3].map((number) => client.call("witness", number, { timeout: 10_000 })));
  expect(answers).toEqual([1, 2, 3]);
  expect(broker.isRunning).toBe(true);
}
