// Streamed input that never ends, that no handler reads, that no worker granted, and grants that are none. Memory stays bounded, each such request
// can be canceled, and other peers are served.

import { FakeClock, Inbox } from "@pigato/testkit";
import { expect, onTestFinished, test } from "vitest";
import { Dealer } from "zeromq";
import { rawClient, rawWorker, startWitnessed, TRANSPORTS } from "../hostile/witness.ts";
import { startClient, startWorker } from "../support/start.ts";
import { PATIENTLY } from "./parts.ts";

const CHUNK = Buffer.alloc(64 * 1_024, "x");

/** Chunks without an end, and how many of them were taken. */
class Endless {
  taken = 0;
  isClosed = false;

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        this.taken += 1;
        yield CHUNK;
      }
    } finally {
      this.isClosed = true;
    }
  }
}

test.each(TRANSPORTS)("a flood of input without a grant reaches no worker, over %s", async (transport) => {
  const { address, broker, drops, violations, during } = await startWitnessed({ transport });
  const worker = await rawWorker(address, "load", "duplex cancel");
  const mallory = await rawClient(address, "duplex error cancel");
  await during(async () => {
    await mallory.send("C", "2", "load", "r1", "null", '{"input":1}');
    await worker.receive("W", "2");
    for (let message = 0; message < 500; message++) await mallory.send("C", "10", "r1", CHUNK);
    await mallory.roundTrip();
  });
  const [, , , id, status, failure = ""] = await mallory.receive("C", "3");
  expect([id, status, JSON.parse(failure)]).toMatchObject(["r1", "-1", { code: "INVALID" }]);
  await worker.receive("W", "8");
  expect(worker.received.filter(([, type]) => type === "10")).toEqual([]);
  expect(violations.map(({ clause }) => clause)).toEqual(["P-STREAM-8"]);
  expect(drops.filter(({ reason }) => reason === "not-open").length).toBe(499);
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test.each(TRANSPORTS)("input before its request is dropped, and the request runs, over %s", async (transport) => {
  const { address, drops, during } = await startWitnessed({ transport });
  const worker = await rawWorker(address, "load", "duplex cancel");
  const client = await rawClient(address, "duplex error cancel");
  await during(async () => {
    await client.send("C", "10", "r1", "early");
    await client.send("C", "11", "r1");
    await client.send("C", "2", "load", "r1", "null", '{"input":1}');
    const [, , token = ""] = await worker.receive("W", "2");
    await worker.send("W", "9", token, "", "r1", "1");
    await client.receive("C", "9", "r1");
    await client.send("C", "10", "r1", "in time");
    await client.send("C", "11", "r1");
    expect((await worker.receive("W", "10")).slice(4)).toEqual(["r1", "in time"]);
    await worker.receive("W", "11");
  });
  expect(drops.map(({ reason }) => reason)).toEqual(["not-open", "not-open"]);
});

test.each(TRANSPORTS)("two clients with the same request id each send their own input, over %s", async (transport) => {
  const { address, during } = await startWitnessed({ transport });
  const worker = await rawWorker(address, "load", "duplex cancel");
  const clients = await Promise.all(["alice", "mallory"].map(() => rawClient(address, "duplex error cancel")));
  await during(async () => {
    const tokens: string[] = [];
    for (const client of clients) {
      await client.send("C", "2", "load", "r1", "null", '{"input":1}');
      tokens.push((await worker.receive("W", "2"))[2] ?? "");
    }
    const [alice, mallory] = clients;
    // Only the first one's input is granted.
    await worker.send("W", "9", tokens[0] ?? "", "", "r1", "2");
    await alice?.receive("C", "9", "r1");
    await mallory?.send("C", "10", "r1", "stolen");
    expect((await mallory?.receive("C", "3"))?.[5]).toContain("INVALID");
    await alice?.send("C", "10", "r1", "mine");
    expect(await worker.receive("W", "10")).toEqual(["W", "10", tokens[0], "", "r1", "mine"]);
    await alice?.send("C", "11", "r1");
    await worker.receive("W", "11", tokens[0] ?? "");
  });
});

test("a worker that never reads gets no input, and the client reads nothing of its source until it cancels", async () => {
  const { address, broker, during } = await startWitnessed();
  await startWorker(address, "load", () => new Promise(() => {}));
  const client = await startClient(address);
  const source = new Endless();
  const controller = new AbortController();
  const uploaded = client.upload("load", source, { signal: controller.signal });
  const failed = expect(uploaded).rejects.toMatchObject({ code: "CANCELED" });
  await expect.poll(() => broker.stats()?.inFlight, PATIENTLY).toBe(1);
  await during(async () => {});
  expect(source.taken).toBe(0);
  controller.abort();
  await failed;
  await expect.poll(() => broker.stats(), PATIENTLY).toMatchObject({ open: 0, inFlight: 0 });
});

test("a worker that stops reading gets no more than a window, until the client cancels", async () => {
  const { address, broker, during } = await startWitnessed();
  const endings = new Inbox<unknown>();
  await startWorker(address, "load", async (_data, reply) => {
    const chunks = reply.input[Symbol.asyncIterator]();
    for (let read = 0; read < 100; read++) await chunks.next();
    await new Promise((resolve) => reply.signal.addEventListener("abort", resolve));
    // What had arrived is dropped.
    endings.add(await chunks.next().catch((error: unknown) => error));
  });
  const client = await startClient(address);
  const source = new Endless();
  const controller = new AbortController();
  const uploaded = client.upload("load", source, { signal: controller.signal, codec: "raw" });
  const failed = expect(uploaded).rejects.toMatchObject({ code: "CANCELED" });
  await expect.poll(() => source.taken, PATIENTLY).toBeGreaterThan(100);
  let before = -1;
  for (let rounds = 0; rounds < 3 || source.taken > before; rounds++) {
    before = source.taken;
    await during(async () => {});
  }
  // A window is 2 MiB, which is 32 of these chunks.
  expect(source.taken).toBeLessThan(100 + 3 * 32);
  controller.abort();
  await failed;
  expect(await endings.take()).toMatchObject({ code: "CANCELED" });
  await expect.poll(() => source.isClosed, PATIENTLY).toBe(true);
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test("the timeout ends a request whose client never ends its input, and the handler's loop throws", async () => {
  const clock = new FakeClock();
  const { address, broker, during } = await startWitnessed({ clock });
  const endings = new Inbox<unknown>();
  await startWorker(address, "load", async (_data, reply) => {
    try {
      for await (const _chunk of reply.input);
    } catch (error) {
      endings.add(error);
    }
  });
  const mallory = await rawClient(address, "duplex error cancel");
  await during(async () => {
    await mallory.send("C", "2", "load", "r1", "null", '{"input":1,"timeout":1500}');
    await mallory.receive("C", "9");
    await mallory.send("C", "10", "r1", "1", "2");
    await mallory.roundTrip();
    clock.advance(1_500);
    expect((await mallory.receive("C", "3"))[5]).toContain("DEADLINE_EXCEEDED");
    expect(await endings.take()).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    // It goes on nevertheless.
    await mallory.send("C", "10", "r1", "3");
    await mallory.send("C", "11", "r1");
    await mallory.roundTrip();
  });
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test.each(TRANSPORTS)(
  "grants that are no number, or for another request, grant nothing, over %s",
  async (transport) => {
    const { address, drops, during } = await startWitnessed({ transport });
    const worker = await rawWorker(address, "load", "duplex cancel credit");
    const client = await startClient(address);
    const uploaded = client.upload("load", ["first", "second"]);
    const [, , token = "", , , id = ""] = await worker.receive("W", "2");
    const grants = ["0", "-5", "-999999999999999", "NaN", "Infinity", "1e3", "", "0x10", "1.5", "9".repeat(40)];
    await during(async () => {
      for (const grant of grants) await worker.send("W", "9", token, "", id, grant);
      await worker.send("W", "9", token, "", id);
      await worker.send("W", "9", "~999999", "", id, "5");
      await worker.send("W", "4", "", "{}");
      await worker.receive("W", "4");
    });
    const reasons = drops.map(({ reason }) => reason);
    expect(reasons).toEqual([...Array.from({ length: grants.length + 1 }, () => "void-credit"), "not-held"]);
    expect(worker.received.filter(([, type]) => type === "10")).toEqual([]);
    for (let grant = 0; grant < 3; grant++) await worker.send("W", "9", token, "", id, "999999999999999");
    await worker.receive("W", "11");
    const chunks = worker.received.filter(([, type]) => type === "10").flatMap((frames) => frames.slice(5));
    expect(chunks).toEqual(['"first"', '"second"']);
    await worker.send("W", "3", token, "", id, "0", '"done"');
    expect(await uploaded).toBe("done");
  },
);

test("a worker that grants endless credit and reads nothing loses its request", async () => {
  const { address, broker, during } = await startWitnessed({ maxPeerBytes: 4 * 1_024 * 1_024 });
  const socket = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
  onTestFinished(() => socket.close());
  socket.connect(address);
  await socket.send(["W", "1", "load", "pigato/1 duplex cancel codec=raw concurrency=1 heartbeat=60000"]);
  await socket.receive();
  const client = await startClient(address);
  const source = new Endless();
  const failed = expect(client.upload("load", source, { codec: "raw" })).rejects.toMatchObject({
    code: "BUSY",
    delivery: "maybe-executed",
  });
  const [, , token = "", , , id = ""] = await socket.receive();
  await during(async () => {
    await socket.send(["W", "9", token, "", id, "999999999999999"]);
    await failed;
  });
  await expect.poll(() => source.isClosed, PATIENTLY).toBe(true);
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test("chunks that are larger than the rest of their credit arrive, whatever passes them on their way", async () => {
  const { address, violations } = await startWitnessed();
  await startWorker(address, "load", async (_data, reply) => {
    let bytes = 0;
    for await (const chunk of reply.input) bytes += Number(Reflect.get(Object(chunk), "length"));
    return bytes;
  });
  const client = await startClient(address);
  for (const size of [1.5 * 1_024 * 1_024, 1_024 * 1_024 + 1]) {
    const chunks = Array.from({ length: 20 }, () => Buffer.alloc(size));
    expect(await client.upload("load", chunks, { codec: "raw" })).toBe(20 * size);
  }
  expect(violations).toEqual([]);
});
