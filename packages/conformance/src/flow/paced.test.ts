// A streamed reply waits for its reader, through a real broker: no partial is lost, memory stays bounded, and every event
// during a pause ends the reply cleanly.

import { once } from "node:events";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { Client, type ReplyStream } from "@pigato/client";
import { FakeClock } from "@pigato/testkit";
import { type Reply, Worker } from "@pigato/worker";
import { expect, test } from "vitest";
import { spawnBroker } from "../support/spawn.ts";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";
import { numberOf, PATIENTLY, part, SERVICE, sender } from "./parts.ts";

async function readAll(stream: ReplyStream): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

function expectWhole(values: readonly unknown[], parts: number): void {
  expect(values.slice(0, -1).map(numberOf)).toEqual(Array.from({ length: parts }, (_, number) => number));
  expect(values.at(-1)).toBe("last");
}

test("a worker waits for a client that does not read, and continues as the client reads", async () => {
  const running = await startBroker();
  const { handler, tally, paused } = sender(5_000);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  const pause = paused();
  const stream = client.request("rows");
  await pause;
  expect([tally.written, stream.readableLength <= 16]).toEqual([16, true]);
  expectWhole(await readAll(stream), 5_000);
  // For small chunks, one grant is for hundreds.
  expect(tally.pauses).toBeLessThan(100);
});

test.each(["tcp://127.0.0.1:*", "inproc://flow"])("only a few partials of a mebibyte wait, over %s", async (bind) => {
  const running = await startBroker({}, bind);
  const { handler, tally } = sender(60, 1024 * 1024);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  const stream = client.request("rows");
  const values: number[] = [];
  let ahead = 0;
  for await (const value of stream) {
    values.push(numberOf(value));
    // With a known chunk size, two chunks are in transit or buffered here.
    if (values.length > 20) ahead = Math.max(ahead, tally.written - values.length);
    await new Promise(setImmediate);
  }
  expect(values).toHaveLength(61);
  expect(ahead).toBeLessThanOrEqual(2);
});

test("the partials of a handler that does not pause are queued in order, before the final reply", async () => {
  const running = await startBroker();
  let finishedAt = 0;
  let read = 0;
  await startWorker(running.address, SERVICE, (_data, reply) => {
    for (let number = 0; number < 3_000; number++) reply.write(part(number, 10));
    reply.once("finish", () => {
      finishedAt = read;
    });
    reply.end("last");
  });
  const client = await startClient(running.address);
  const values: unknown[] = [];
  for await (const value of client.request("rows")) {
    values.push(value);
    read += 1;
  }
  expectWhole(values, 3_000);
  // Not before half of the first grant was read, because the next grant comes then.
  expect(finishedAt).toBeGreaterThanOrEqual(8);
});

test("a handler that never pauses fails with BUSY at the bound, and its caller receives the first partials", async () => {
  const running = await startBroker();
  let reply: Reply | undefined;
  await startWorker(
    running.address,
    SERVICE,
    (_data, given) => {
      reply = given;
      for (let number = 0; given.active(); number++) given.write(part(number, 1_000));
    },
    { maxHeldBytes: 100_000 },
  );
  const client = await startClient(running.address);
  const values: number[] = [];
  const reading = (async () => {
    for await (const value of client.request("rows")) values.push(numberOf(value));
  })();
  await expect(reading).rejects.toMatchObject({ code: "WORKER_FAILED", detail: { code: "BUSY" } });
  expect(values).toEqual(Array.from({ length: values.length }, (_, number) => number));
  expect(reply?.writableErrored).toMatchObject({ code: "BUSY" });
});

test("callbacks and collect() receive all partials, without a pause", async () => {
  const running = await startBroker();
  const { handler, tally } = sender(2_000);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  expect(await client.collect("rows")).toHaveLength(2_001);
  const parts: unknown[] = [];
  const last = await new Promise((resolve) =>
    client.request(
      "rows",
      null,
      (_error, value) => parts.push(value),
      (_error, value) => resolve(value),
    ),
  );
  expect([parts.length, last, tally.pauses]).toEqual([2_000, "last", 0]);
});

test("a stream is complete with a worker without flow control", async () => {
  const running = await startBroker();
  const { handler } = sender(2_000);
  await startWorker(running.address, SERVICE, handler, { negotiate: false });
  const client = await startClient(running.address);
  const stream = client.request("rows");
  await once(stream, "readable");
  expectWhole(await readAll(stream), 2_000);
});

test("a stream that is not read ends by its timeout, and so does the pause of the worker", async () => {
  const clock = new FakeClock();
  const running = await startBroker({ clock });
  const { handler, tally, paused } = sender(1_000);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address, { clock });
  const pause = paused();
  const failure = once(client.request("rows", null, { timeout: 300 }), "error");
  await pause;
  clock.advance(300);
  expect(await failure).toEqual([expect.objectContaining({ code: "DEADLINE_EXCEEDED" })]);
  await expect.poll(() => tally.failures, PATIENTLY).toEqual([expect.objectContaining({ code: "DEADLINE_EXCEEDED" })]);
  expect(tally.written).toBe(16);
});

test("the worker stops waiting when its caller gives up", async () => {
  const running = await startBroker();
  const { handler, tally, paused } = sender(1_000);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  const pause = paused();
  const stream = client.request("rows");
  await pause;
  stream.destroy();
  await expect.poll(() => tally.failures, PATIENTLY).toEqual([expect.objectContaining({ code: "CANCELED" })]);
  expect(tally.written).toBe(16);
  await expect.poll(() => running.broker.stats()?.open, PATIENTLY).toBe(0);
});

test("the worker stops waiting when its client stops or dies", async () => {
  const running = await startBroker();
  const { handler, tally, paused } = sender(1_000);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  const pause = paused();
  const failure = once(client.request("rows"), "error");
  await pause;
  await client.stop();
  expect(await failure).toEqual([expect.objectContaining({ code: "CLOSED" })]);
  await expect.poll(() => tally.failures, PATIENTLY).toHaveLength(1);
  const raw = connectRawPeer(running.address, "C1");
  await raw.send("C", "4", "pigato/1 cancel credit error");
  const second = paused();
  await raw.send("C", "2", "rows", "r1", "null", "{}", "credit=3");
  await second;
  expect(tally.written).toBe(16 + 3);
  raw.close();
  await expect.poll(() => tally.failures, PATIENTLY).toHaveLength(2);
});

test("a request is requeued with its first grant when its worker leaves before the first partial", async () => {
  const running = await startBroker();
  const first = await startWorker(running.address, SERVICE, () => {});
  const client = await startClient(running.address);
  const stream = client.request("rows", null, { retry: 1 });
  await expect.poll(() => running.broker.stats()?.inFlight, PATIENTLY).toBe(1);
  const { handler, tally, paused } = sender(500);
  const pause = paused();
  await startWorker(running.address, SERVICE, handler);
  await first.stop();
  await pause;
  expect(tally.written).toBe(16);
  expectWhole(await readAll(stream), 500);
});

test("a worker that stops finishes a paused reply", async () => {
  const running = await startBroker();
  const { handler, paused } = sender(100);
  const worker = await startWorker(running.address, SERVICE, handler, { stopTimeoutMs: 10_000 });
  const client = await startClient(running.address);
  const pause = paused();
  const stream = client.request("rows");
  await pause;
  const stopped = worker.stop();
  expectWhole(await readAll(stream), 100);
  await stopped;
});

test("the loss of the broker ends a paced reply at both ends, and nothing of it reaches the next broker", async () => {
  const broker = await spawnBroker();
  const options = { reconnect: 50, stopTimeoutMs: 0 };
  const worker = new Worker(broker.address, "rows", options);
  const { handler, tally, paused } = sender(300);
  worker.on("request", handler);
  const client = new Client(broker.address, options);
  await Promise.all([worker.start(), client.start()]);
  const pause = paused();
  const failure = once(client.request("rows"), "error");
  await pause;
  await broker.kill("SIGKILL");
  expect(await failure).toEqual([expect.objectContaining({ code: "BROKER_LOST" })]);
  await expect.poll(() => tally.failures, PATIENTLY).toEqual([expect.objectContaining({ code: "BROKER_LOST" })]);
  const next = await spawnBroker("--bind", broker.address);
  expectWhole(await readAll(client.request("rows")), 300);
  await Promise.all([client.stop(), worker.stop()]);
  await next.kill("SIGKILL");
});

test("a frozen broker stops a worker that is paced by credit and by its link, and nothing is lost", async () => {
  const broker = await spawnBroker();
  const options = { heartbeat: 60_000, stopTimeoutMs: 0 };
  const worker = new Worker(broker.address, "rows", options);
  const { handler, tally } = sender(300, 64 * 1024);
  let start: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  let came = 0;
  worker.on("request", async (data, reply) => {
    came += 1;
    await started;
    return handler(data, reply);
  });
  const client = new Client(broker.address, options);
  await Promise.all([worker.start(), client.start()]);
  // One client reads everything, so that only the worker's link slows the worker down; the other reads slowly.
  const collected = client.collect("rows");
  const stream = client.request("rows");
  await expect.poll(() => came, PATIENTLY).toBe(2);
  broker.signal("SIGSTOP");
  start();
  await expect.poll(() => tally.replies.map((reply) => reply.writableNeedDrain), PATIENTLY).toEqual([true, true]);
  expect(tally.written).toBeLessThan(600);
  broker.signal("SIGCONT");
  expectWhole(await readAll(stream), 300);
  expectWhole(await collected, 300);
  await Promise.all([client.stop(), worker.stop()]);
  await broker.kill("SIGKILL");
});

test("a stream that was read to its end leaves nothing open", async () => {
  const running = await startBroker();
  const { handler } = sender(200);
  await startWorker(running.address, SERVICE, handler);
  const client = await startClient(running.address);
  const stream: Readable = client.request("rows");
  stream.resume();
  await finished(stream);
  expect(running.broker.stats()).toMatchObject({ open: 0, finished: 1, failed: 0, canceled: 0 });
});
