// A worker lets the broker keep its reply, and says for how long: seen from both ends, over tcp.

import { Broker } from "@pigato/broker";
import { Client } from "@pigato/client";
import { Worker } from "@pigato/worker";
import { afterEach, beforeEach, expect, test } from "vitest";

let runs = 0;
let client: Client;
const stops: (() => Promise<void>)[] = [];

beforeEach(async () => {
  runs = 0;
  const broker = new Broker("tcp://127.0.0.1:*");
  stops.push(() => broker.stop());
  await broker.start();
  const [address = ""] = broker.addresses;
  const worker = new Worker(address, "count");
  worker.on("request", (data, reply) => {
    reply.opts.cache = Number(data);
    reply.write("part");
    reply.end(++runs);
  });
  stops.push(() => worker.stop());
  await worker.start();
  client = new Client(address);
  stops.push(() => client.stop());
  await client.start();
});

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

test("a reply that its worker lets the broker keep answers equal requests for its time", async () => {
  expect(await client.collect("count", 60_000)).toEqual(["part", 1]);
  expect(await client.collect("count", 60_000)).toEqual(["part", 1]);
  expect(await client.collect("count", 59_999)).toEqual(["part", 2]);

  // One millisecond is over by the time that a later answer is there.
  let answer = await client.call("count", 1);
  const first = answer;
  while (answer === first) answer = await client.call("count", 1);
  expect(answer).toBe(runs);
});

test("nocache has a worker run it, and leaves the kept reply to others", async () => {
  expect(await client.call("count", 60_000)).toBe(1);
  expect(await client.call("count", 60_000, { nocache: 1 })).toBe(2);
  expect(await client.call("count", 60_000)).toBeLessThanOrEqual(2);
  expect(runs).toBe(2);
});
