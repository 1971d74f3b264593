// A request to every worker of a service, over tcp.

import { RequestError } from "@pigato/client";
import type { RequestHandler, Worker } from "@pigato/worker";
import { beforeEach, expect, test } from "vitest";
import { spawnWorker } from "../support/spawn.ts";
import { type RunningBroker, startBroker, startClient, startWorker } from "../support/start.ts";
import { startDirectory, until } from "./start.ts";

let running: RunningBroker;

beforeEach(async () => {
  running = await startBroker();
});

test("a broadcast returns one reply per worker, with the id of its worker", async () => {
  await startDirectory(running);
  const workers = await Promise.all(
    [1, 2, 3].map((number) => serve("add", (data, reply) => reply.end(Number(data) + number))),
  );
  const client = await known("add", 3);
  const results = await client.broadcast<number>("add", 10).all();
  const expected = workers.map(({ socketId }, index) => ({ worker: socketId, data: 11 + index }));
  expect(results).toHaveLength(3);
  expect(results).toEqual(expect.arrayContaining(expected));
});

test("a slow worker does not delay the replies of others to a broadcast", async () => {
  await startDirectory(running);
  let finish: () => void = () => {};
  let onAsked: () => void = () => {};
  const asked = new Promise<void>((resolve) => {
    onAsked = resolve;
  });
  const slow = await serve("pace", (_data, reply) => {
    finish = () => reply.end("slow");
    onAsked();
  });
  const quick = await serve("pace", (_data, reply) => asked.then(() => reply.end("quick")));
  const client = await known("pace", 2);
  const seen: string[] = [];
  for await (const { worker } of client.broadcast("pace")) {
    seen.push(worker);
    finish();
  }
  expect(seen).toEqual([quick.socketId, slow.socketId]);
});

test("a worker that rejects, fails or dies gives an error of its own, and the others reply", async () => {
  await startDirectory(running);
  const mortal = await spawnWorker({ address: running.address, service: "mixed", holds: true });
  const good = await serve("mixed", (_data, reply) => reply.end("good"));
  const rejecting = await serve("mixed", (_data, reply) => reply.reject("not me"));
  const failing = await serve("mixed", () => {
    throw new Error("boom");
  });
  const client = await known("mixed", 4);
  const errors = new Map<string, string>();
  const answers = new Map<string, unknown>();
  for await (const { worker, data, error } of client.broadcast("mixed")) {
    if (error === undefined) answers.set(worker, data);
    else {
      expect(error).toBeInstanceOf(RequestError);
      errors.set(worker, error.code);
    }
    if (answers.size + errors.size === 3) await mortal.kill();
  }
  expect(answers).toEqual(new Map([[good.socketId, "good"]]));
  expect(errors.get(rejecting.socketId)).toBe("REJECTED");
  expect(errors.get(failing.socketId)).toBe("WORKER_FAILED");
  expect([...errors.values()].sort()).toEqual(["REJECTED", "WORKER_FAILED", "WORKER_LOST"]);
});

test("a broadcast without a directory fails at once", async () => {
  await serve("echo", (data, reply) => reply.end(data));
  const client = await startClient(running.address);
  await expect(client.broadcast("echo").all()).rejects.toMatchObject({
    name: "RequestError",
    code: "UNAVAILABLE",
    message: expect.stringMatching(/no directory .* start a Directory of @pigato\/directory/),
  });
});

test("a broadcast to a service without workers has no results", async () => {
  await startDirectory(running);
  const client = await startClient(running.address);
  expect(await client.broadcast("nothing").all()).toEqual([]);
});

test("an aborted signal ends the open requests of a broadcast with CANCELED", async () => {
  await startDirectory(running);
  const isCalled = new Promise<void>((resolve) => void serve("endless", () => resolve()));
  const client = await known("endless", 1);
  const aborting = new AbortController();
  const results = client.broadcast("endless", undefined, { signal: aborting.signal }).all();
  await isCalled;
  aborting.abort();
  expect((await results).map(({ error }) => error?.code)).toEqual(["CANCELED"]);
});

test("a broadcast cancels its open requests when its caller stops reading", async () => {
  await startDirectory(running);
  const aborted = new Promise<void>((resolve) => {
    void serve("leave", (_data, reply) => reply.signal.addEventListener("abort", () => resolve()));
  });
  await serve("leave", (_data, reply) => reply.end("first"));
  const client = await known("leave", 2);
  for await (const { data } of client.broadcast("leave")) {
    expect(data).toBe("first");
    break;
  }
  await aborted;
});

test("a broadcast keeps no more requests open at a time than its limit", async () => {
  await startDirectory(running);
  let open = 0;
  let most = 0;
  const handle = async (_data: unknown, reply: { end(): unknown }): Promise<void> => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    reply.end();
  };
  await Promise.all(Array.from({ length: 8 }, () => serve("few", handle)));
  const client = await known("few", 8);
  expect(await client.broadcast("few", undefined, { concurrency: 2 }).all()).toHaveLength(8);
  expect(most).toBeLessThanOrEqual(2);
});

test("a broadcast sends to no more workers than its limit", async () => {
  await startDirectory(running);
  let requests = 0;
  await Promise.all([1, 2].map(() => serve("many", () => requests++)));
  const client = await known("many", 2);
  await expect(client.broadcast("many", undefined, { maxWorkers: 1 }).all()).rejects.toThrow(/"many" has 2 workers/);
  expect(requests).toBe(0);
});

test("a broadcast with invalid arguments throws at once", async () => {
  const client = await startClient(running.address);
  expect(() => client.broadcast("")).toThrow(/service/);
  expect(() => client.broadcast("echo", 1, { concurrency: 0 })).toThrow(/concurrency/);
  expect(() => client.broadcast("echo", 1, { maxWorkers: 1.5 })).toThrow(/maxWorkers/);
  const misspelled = { timeout: 500, concurrencey: 5 };
  const targeted = { workerId: "w1", timeout: 100 };
  expect(() => client.broadcast("echo", 1, targeted)).toThrow(/every worker and has no option workerId/);
  expect(() => client.broadcast("echo", 1, misspelled)).toThrow(/no option "concurrencey": did you mean "concurrency"/);
});

/** A client, created when the directory lists so many workers of a service. */
async function known(service: string, count: number) {
  const client = await startClient(running.address);
  await until(
    () => client.call<string[]>("$dir", service),
    (ids) => ids.length === count,
  );
  return client;
}

function serve(service: string, handler: RequestHandler): Promise<Worker> {
  return startWorker(running.address, service, handler);
}
