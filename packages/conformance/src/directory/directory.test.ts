// The directory over tcp, with a real broker.

import { Directory } from "@pigato/directory";
import { type DealerLink, zmtp } from "@pigato/transport";
import type { RequestHandler, Worker } from "@pigato/worker";
import { beforeEach, expect, test } from "vitest";
import { spawnWorker } from "../support/spawn.ts";
import { type RunningBroker, startBroker, startClient, startWorker } from "../support/start.ts";
import { startDirectory, until } from "./start.ts";

/** Fewer connections than a listener lets wait. */
const BATCH = 100;

let running: RunningBroker;

beforeEach(async () => {
  running = await startBroker();
});

test("the directory returns the ids of a service's workers, and an empty list for an unknown service", async () => {
  const [first, second] = [await serve("echo", () => {}), await serve("echo", () => {})];
  await startDirectory(running);
  const client = await startClient(running.address);
  expect(await client.call("$dir", "echo")).toEqual([first.socketId, second.socketId]);
  expect(await client.call("$dir", "nothing")).toEqual([]);
});

test("the directory returns the whole map for a request without data, and names itself in it", async () => {
  const worker = await serve("echo", () => {});
  const directory = await startDirectory(running);
  const client = await startClient(running.address);
  for (const data of [undefined, null, ""]) {
    expect(await client.call("$dir", data)).toEqual({ echo: [worker.socketId], $dir: [directory.worker.socketId] });
  }
});

test.each(["__proto__", "constructor", "toString", "größe 🚀"])("treats %s like any other name", async (name) => {
  await startDirectory(running);
  const client = await startClient(running.address);
  expect(await client.call("$dir", name)).toEqual([]);
  const worker = await serve(name, () => {});
  await until(
    () => client.call<string[]>("$dir", name),
    (ids) => ids.includes(worker.socketId),
  );
  const map: object = await client.call("$dir");
  expect(Object.entries(map)).toContainEqual([name, [worker.socketId]]);
});

test("a directory without the broker's channel is a UsageError that names the option", () => {
  const failure = expect.objectContaining({
    name: "UsageError",
    message: expect.stringMatching(/^intch must be .*broker\.conf\.intch/),
  });
  for (const options of [[], [{}], [null]]) {
    expect(() => Reflect.construct(Directory, [running.address, ...options])).toThrow(failure);
  }
});

test("the directory rejects a request that names no service", async () => {
  await startDirectory(running);
  const client = await startClient(running.address);
  await expect(client.call("$dir", { service: "echo" })).rejects.toMatchObject({ message: /asked with the name/ });
});

test("the first reply of the directory is correct, even to a request that was sent before it started", async () => {
  const client = await startClient(running.address);
  for (let round = 1; round <= 10; round++) {
    const service = `service ${round}`;
    const worker = await serve(service, () => {});
    const asked = client.call("$dir", service);
    const directory = await startDirectory(running);
    expect(await asked).toEqual([worker.socketId]);
    await directory.stop();
  }
});

test("the directory removes a worker that was killed", async () => {
  await startDirectory(running);
  const client = await startClient(running.address);
  const worker = await spawnWorker({ address: running.address, service: "mortal" });
  const ids = await until(
    () => client.call<string[]>("$dir", "mortal"),
    (found) => found.length === 1,
  );
  expect(ids).toHaveLength(1);
  await worker.kill();
  await until(
    () => client.call<string[]>("$dir", "mortal"),
    (found) => found.length === 0,
  );
});

test("the directory lists a thousand workers that register within a second", { timeout: 60_000 }, async () => {
  await startDirectory(running);
  const client = await startClient(running.address);
  let announcedBytes = 0;
  const subscriber = running.broker.conf.transport.subscriber({
    onMessage: ([frame]) => {
      announcedBytes += frame?.length ?? 0;
    },
  });
  subscriber.subscribe("$dir ");
  subscriber.connect(String(running.broker.conf.intch));

  const start = performance.now();
  const ids = Array.from({ length: 1_000 }, (_, number) => `W7f9c24e8-3b1a-4c5d-9e6f-0123456789ab-${number}`);
  const links: DealerLink[] = [];
  const register = (routingId: string): Promise<void> =>
    new Promise((resolve) => {
      const link = zmtp.dealer({ onMessage: () => {}, onUp: () => resolve() }, { routingId });
      link.connect(running.address);
      link.send(["W", "1", "many", "pigato/1 heartbeat=60000 concurrency=1"].map((text) => Buffer.from(text)));
      links.push(link);
    });
  // The kernel lets few connections wait. It drops others, whose ends try again after a second, or many.
  for (let at = 0; at < ids.length; at += BATCH) await Promise.all(ids.slice(at, at + BATCH).map(register));
  const listed = () => client.call<string[]>("$dir", "many");
  // Not all the time: each reply has 40 KB.
  await expect.poll(async () => (await listed()).length, { timeout: 50_000, interval: 50 }).toBe(ids.length);
  expect([...(await listed())].sort()).toEqual([...ids].sort());
  // One announcement for each worker would exceed 20 MB. The broker bounds the rate, and a busy machine takes longer.
  expect(announcedBytes).toBeLessThan(5_000 * (performance.now() - start) + 200_000);
  await Promise.all([subscriber.close(), ...links.map((link) => link.close(0))]);
});

function serve(service: string, handler: RequestHandler): Promise<Worker> {
  return startWorker(running.address, service, handler);
}
