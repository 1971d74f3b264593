// Cached replies with a lifetime set by the worker, seen from both ends, over tcp.

import type { Client } from "@pigato/client";
import { beforeEach, expect, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";

let runs = 0;
let client: Client;

beforeEach(async () => {
  runs = 0;
  const { address } = await startBroker();
  await startWorker(address, "count", (data, reply) => {
    reply.opts.cache = Number(data);
    reply.write("part");
    reply.end(++runs);
  });
  client = await startClient(address);
});

test("the broker answers equal requests with a cached reply until it expires", async () => {
  expect(await client.collect("count", 60_000)).toEqual(["part", 1]);
  expect(await client.collect("count", 60_000)).toEqual(["part", 1]);
  expect(await client.collect("count", 59_999)).toEqual(["part", 2]);

  // The cached reply expires before the next request arrives.
  let answer = await client.call("count", 1);
  const first = answer;
  while (answer === first) answer = await client.call("count", 1);
  expect(answer).toBe(runs);
});

test("a request with nocache runs on a worker, and the cached reply stays for others", async () => {
  expect(await client.call("count", 60_000)).toBe(1);
  expect(await client.call("count", 60_000, { nocache: 1 })).toBe(2);
  expect(await client.call("count", 60_000)).toBeLessThanOrEqual(2);
  expect(runs).toBe(2);
});
