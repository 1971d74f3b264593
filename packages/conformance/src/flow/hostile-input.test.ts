// Streamed input of raw peers (P-STREAM-7 to P-STREAM-10). The broker ends the request of a client that breaks the rules, and
// nothing else.

import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { spawnBroker } from "../support/spawn.ts";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";
import { PATIENTLY } from "./parts.ts";

type Transport = "zmtp" | "libzmq";

async function rawClient(address: string) {
  const peer = connectRawPeer(address);
  await peer.send("C", "4", "pigato/1 duplex error cancel");
  await peer.receive("C", "4");
  return peer;
}

async function rawWorker(address: string, caps = "pigato/1 duplex cancel concurrency=10") {
  const peer = connectRawPeer(address);
  await peer.send("W", "1", "load", caps);
  await peer.receive("W", "1");
  return peer;
}

async function start(transport: Transport) {
  const running = await startBroker({ transport });
  const worker = await rawWorker(running.address);
  const client = await rawClient(running.address);
  return { running, worker, client };
}

test.each<Transport>(["zmtp", "libzmq"])(
  "grants, chunks and the end pass the broker unchanged, over %s",
  async (transport) => {
    const { worker, client } = await start(transport);
    await client.send("C", "2", "load", "r1", "null", '{"input":1}');
    const [, , address = ""] = await worker.receive("W", "2");
    await worker.send("W", "9", address, "", "r1", "3");
    expect(await client.receive("C", "9")).toEqual(["C", "9", "r1", "3"]);
    await client.send("C", "10", "r1", "one", "");
    await client.send("C", "10", "r1", "three");
    await client.send("C", "11", "r1");
    expect(await worker.receive("W", "10")).toEqual(["W", "10", address, "", "r1", "one", ""]);
    expect(await worker.receive("W", "10")).toEqual(["W", "10", address, "", "r1", "three"]);
    expect(await worker.receive("W", "11")).toEqual(["W", "11", address, "", "r1"]);
  },
);

test.each<[string, readonly (readonly string[])[]]>([
  ["input before a grant", [["C", "10", "r0", "1"]]],
  ["its end before a grant", [["C", "11", "r0"]]],
  ["more than was granted", [["C", "10", "r1", "1", "2", "3", "4"]]],
  [
    "input after its end",
    [
      ["C", "11", "r1"],
      ["C", "10", "r1", "1"],
    ],
  ],
  ["input without a chunk", [["C", "10", "r1"]]],
])("a client that sends %s loses that request, and others go on", async (_, messages) => {
  const { running, worker, client } = await start("zmtp");
  const other = await rawClient(running.address);
  await other.send("C", "2", "load", "r1", "null", '{"input":1}');
  const [, , theirs = ""] = await worker.receive("W", "2");
  await worker.send("W", "9", theirs, "", "r1", "3");
  await other.receive("C", "9");
  for (const id of ["r0", "r1"]) await client.send("C", "2", "load", id, "null", '{"input":1}');
  await worker.receive("W", "2", "*", "load", "", "r0");
  const [, , address = ""] = await worker.receive("W", "2", "*", "load", "", "r1");
  await worker.send("W", "9", address, "", "r1", "3");
  await client.receive("C", "9");
  for (const message of messages) await client.send(...message);
  const failure = await client.receive("C", "3");
  expect(JSON.parse(failure[5] ?? "")).toMatchObject({ code: "INVALID", delivery: "maybe-executed" });
  await worker.receive("W", "8");
  await other.send("C", "10", "r1", "mine");
  expect(await worker.receive("W", "10", theirs)).toEqual(["W", "10", theirs, "", "r1", "mine"]);
  expect(running.broker.stats()).toMatchObject({ open: 2 });
});

test("input for the request of another client, or for none, is dropped and reported", async () => {
  const { running, worker, client } = await start("zmtp");
  await client.send("C", "2", "load", "r1", "null", '{"input":1}');
  const [, , address = ""] = await worker.receive("W", "2");
  await worker.send("W", "9", address, "", "r1", "3");
  await client.receive("C", "9");
  const mallory = await rawClient(running.address);
  await mallory.send("C", "10", "r1", "stolen");
  await mallory.send("C", "11", "r1");
  await mallory.send("C", "10", "r9", "none");
  await mallory.roundTrip();
  expect(running.drops.map(({ reason }) => reason)).toEqual(["not-open", "not-open", "not-open"]);
  expect(worker.received.filter(([, type]) => type === "10" || type === "11")).toEqual([]);
});

test("a worker that grants an absurd number, often, gets all of the input", async () => {
  const running = await startBroker();
  const worker = await rawWorker(running.address);
  const client = await startClient(running.address);
  const uploaded = client.upload(
    "load",
    Array.from({ length: 10_000 }, (_, number) => number),
  );
  const [, , address = "", , , id = ""] = await worker.receive("W", "2");
  for (let grant = 0; grant < 3; grant++) await worker.send("W", "9", address, "", id, "999999999999999");
  await worker.receive("W", "11");
  const chunks = worker.received.filter(([, type]) => type === "10").flatMap((frames) => frames.slice(5));
  expect(chunks.map(Number)).toEqual(Array.from({ length: 10_000 }, (_, number) => number));
  await worker.send("W", "3", address, "", id, "0", '"done"');
  expect(await uploaded).toBe("done");
});

test("a worker without the capability makes the request fail with an error that names it", async () => {
  const running = await startBroker();
  await rawWorker(running.address, "pigato/1 cancel concurrency=10");
  const client = await startClient(running.address);
  await expect(client.upload("load", [1])).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringContaining("(duplex)"),
    cause: { code: "INVALID", isRetrySafe: true },
  });
});

test("a broker that is killed midway ends both directions with BROKER_LOST", async () => {
  const broker = await spawnBroker();
  let thrown: unknown;
  await startWorker(broker.address, "load", async (_, reply) => {
    try {
      for await (const _chunk of reply.input);
    } catch (error) {
      thrown = error;
    }
  });
  const client = await startClient(broker.address);
  let given = 0;
  let isClosed = false;
  const source = (async function* () {
    try {
      for (;;) {
        given += 1;
        yield given;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      isClosed = true;
    }
  })();
  const uploaded = client.upload("load", source);
  await expect.poll(() => given, PATIENTLY).toBeGreaterThan(20);
  const failed = expect(uploaded).rejects.toMatchObject({ code: "BROKER_LOST", delivery: "maybe-executed" });
  await broker.kill();
  await failed;
  await expect.poll(() => thrown, PATIENTLY).toMatchObject({ code: "BROKER_LOST" });
  await expect.poll(() => isClosed, PATIENTLY).toBe(true);
});

test("a worker that is lost midway ends the request and its source, even with retry", async () => {
  const { address } = await startBroker();
  const worker = await rawWorker(address);
  const client = await startClient(address);
  const source = new PassThrough({ objectMode: true });
  source.write("first");
  const uploaded = client.upload("load", source, { retry: true });
  const failed = expect(uploaded).rejects.toMatchObject({ code: "WORKER_LOST", delivery: "maybe-executed" });
  const [, , token = "", , , id = ""] = await worker.receive("W", "2");
  await worker.send("W", "9", token, "", id, "5");
  await worker.receive("W", "10");
  worker.close();
  await failed;
  expect(source.destroyed).toBe(true);
});

test("a client that is lost midway ends the loop of the handler", async () => {
  const { broker, address } = await startBroker();
  let thrown: unknown;
  await startWorker(address, "load", async (_, reply) => {
    try {
      for await (const _chunk of reply.input);
    } catch (error) {
      thrown = error;
    }
  });
  const client = await rawClient(address);
  await client.send("C", "2", "load", "r1", "null", '{"input":1}');
  await client.receive("C", "9");
  await client.send("C", "10", "r1", "1");
  client.close();
  await expect.poll(() => thrown, PATIENTLY).toMatchObject({ code: "CLOSED" });
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});
