// Which uses of a stream count as reading, and which credit the client then grants.

import { on } from "node:events";
import { Writable } from "node:stream";
import { expect, test } from "vitest";
import type { Client } from "./client.ts";
import { type FakeBroker, type Request, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

/** A client whose broker sends as many chunks as the client grants. The chunks are numbers. */
async function paced(): Promise<{ client: Client; broker: FakeBroker; sent: () => number; granted: () => number }> {
  const { client, broker } = await kit.started();
  let granted = 0;
  let sent = 0;
  let request: Request | undefined;
  const send = (chunks: number): void => {
    granted += chunks;
    for (; request !== undefined && sent < Math.min(granted, 20_000); sent++) broker.partial(request, sent);
  };
  broker.onRequest = (asked) => {
    request = asked;
    send(asked.credit ?? 0);
  };
  // In its own turn of the event loop, because a network in memory would never yield otherwise.
  broker.onCredit = (chunks) => void setImmediate(send, chunks);
  return { client, broker, sent: () => sent, granted: () => granted };
}

test("a caller that does not read gets the first chunks and no more", async () => {
  const { client, granted } = await paced();
  const stream = client.request("rows");
  await settled();
  await settled();
  expect([granted(), stream.readableLength]).toEqual([16, 16]);
  stream.destroy();
});

test("iterating counts as reading", async () => {
  const { client, sent } = await paced();
  let next = 0;
  for await (const part of client.request("rows")) {
    expect(part).toBe(next);
    next += 1;
    if (next === 5_000) break;
  }
  expect(sent()).toBeLessThan(5_000 + 4_096 + 1);
});

test("listening counts as reading, until the stream is paused", async () => {
  const { client, granted } = await paced();
  const stream = client.request("rows");
  let next = 0;
  for await (const [part] of on(stream, "data")) {
    expect(part).toBe(next);
    next += 1;
    if (next === 3_000) break;
  }
  stream.pause();
  await settled();
  await settled();
  const before = granted();
  await settled();
  expect(granted()).toBe(before);
  expect(before).toBeLessThan(10_000);
  stream.destroy();
});

test("piping reads as fast as the destination writes", async () => {
  const { client, granted } = await paced();
  const taken: unknown[] = [];
  let goOn: () => void = () => {};
  const output = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(chunk, _encoding, done) {
      taken.push(chunk);
      goOn = done;
    },
  });
  const stream = client.request("rows");
  stream.pipe(output);
  await settled();
  expect([taken, granted()]).toEqual([[0], 16]);
  for (let write = 1; write < 10; write++) {
    goOn();
    await settled();
  }
  expect(taken).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(granted()).toBe(4_096 + 8);
  stream.destroy();
});

test("chunks that a stream cannot carry count as read", async () => {
  const { client, broker } = await kit.started();
  let grants = 0;
  broker.onRequest = (request) => {
    for (let part = 0; part < 16; part++) broker.partial(request, null);
  };
  broker.onCredit = () => {
    grants += 1;
  };
  const stream = client.request("rows");
  await settled();
  expect(grants).toBe(1);
  stream.destroy();
});

test("callbacks, call() and collect() accept every chunk and send no credit", async () => {
  const { client, broker } = await kit.started();
  broker.answer(
    Array.from({ length: 100 }, (_, part) => part),
    "last",
  );
  const ended = new Promise((resolve) => client.request("rows", 1, undefined, resolve));
  await Promise.all([client.call("rows"), client.collect("rows"), ended]);
  expect(broker.requests.map(({ credit }) => credit)).toEqual([undefined, undefined, undefined]);
  expect(broker.typesSeen()).toEqual(["request", "request", "request"]);
});
