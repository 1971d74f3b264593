// Methods, streamed input and failures at the same time: each request ends with a typed error at both ends, and leaves nothing behind.

import { once } from "node:events";
import { clientStream, duplex, Host, type HostOptions, service, unary } from "@pigato/service";
import { Inbox } from "@pigato/testkit";
import { expect, onTestFinished, test } from "vitest";
import { PATIENTLY } from "../flow/parts.ts";
import { rawWorker } from "../hostile/witness.ts";
import { newClient, startBroker, startClient, startWorker } from "../support/start.ts";

const FILES = service("files", {
  load: clientStream<number, number>(),
  trade: duplex<number, number>(),
});

/** Chunks without an end. */
class Endless {
  taken = 0;
  isClosed = false;

  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    try {
      for (;;) {
        this.taken += 1;
        yield this.taken;
        await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      this.isClosed = true;
    }
  }
}

function newHost(address: string, options: HostOptions = {}): Host {
  const host = new Host(address, { stopTimeoutMs: 0, ...options });
  onTestFinished(() => host.stop());
  return host;
}

/** Handlers that read all chunks, and how they ended. */
function filesOf(endings: Inbox<unknown>) {
  return {
    load: async (chunks: AsyncIterable<number>) => {
      let count = 0;
      try {
        for await (const _chunk of chunks) count += 1;
      } catch (error) {
        endings.add(error);
        throw error;
      }
      return count;
    },
    trade: async function* (chunks: AsyncIterable<number>) {
      try {
        for await (const chunk of chunks) yield chunk;
      } catch (error) {
        endings.add(error);
        throw error;
      }
    },
  };
}

test("a worker of several services that dies ends the uploads to all of them, and another one gets the rest", async () => {
  const { address, broker } = await startBroker();
  const worker = await rawWorker(address, "a", "duplex cancel services");
  await worker.send("W", "1", "b");
  await worker.receive("W", "1", "", "b");
  const client = await startClient(address);
  const sources = [new Endless(), new Endless()];
  const failed = ["a", "b"].map((name, index) =>
    expect(client.upload(name, sources[index] ?? [], { retry: true })).rejects.toMatchObject({ code: "WORKER_LOST" }),
  );
  const waiting = client.upload("b", [1, 2, 3], { retry: true });
  for (const name of ["a", "b"]) {
    const [, , token = "", , , id = ""] = await worker.receive("W", "2", "*", name);
    await worker.send("W", "9", token, "", id, "100");
    await worker.receive("W", "10", token);
  }
  // It was dispatched, and nothing of its input was granted.
  await worker.receive("W", "2", "*", "b");
  worker.close();
  await Promise.all(failed);
  await startWorker(address, "b", async (_data, reply) => (await reply.input.toArray()).length);
  expect(await waiting).toBe(3);
  await expect.poll(() => sources.map(({ isClosed }) => isClosed), PATIENTLY).toEqual([true, true]);
  expect(broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test("a cancel after the end of the input ends the handler, and its late chunks are dropped", async () => {
  const { address, broker } = await startBroker();
  const endings = new Inbox<unknown>();
  const host = newHost(address);
  host.serve(FILES, {
    ...filesOf(endings),
    trade: async function* (chunks, ctx) {
      let sum = 0;
      for await (const chunk of chunks) sum += chunk;
      yield sum;
      await once(ctx.signal, "abort");
      endings.add(ctx.signal.reason);
      yield 0;
    },
  });
  await host.start();
  const client = await startClient(address);
  const controller = new AbortController();
  const stream = client.of(FILES).trade([1, 2, 3], { signal: controller.signal });
  const read: number[] = [];
  const reading = (async () => {
    for await (const chunk of stream) {
      read.push(chunk);
      controller.abort();
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: "CANCELED" });
  expect(read).toEqual([6]);
  expect(await endings.take()).toMatchObject({ code: "CANCELED" });
  await expect.poll(() => broker.stats(), PATIENTLY).toMatchObject({ open: 0, inFlight: 0 });
});

test("a broker that restarts during a duplex call ends it at both ends, and the next call succeeds", async () => {
  const first = await startBroker();
  const endings = new Inbox<unknown>();
  const host = newHost(first.address, { reconnect: 50 });
  host.serve(FILES, filesOf(endings));
  await host.start();
  const client = await startClient(first.address, { reconnect: 50 });
  const source = new Endless();
  const stream = client.of(FILES).trade(source);
  let read = 0;
  const failed = expect(
    (async () => {
      for await (const _chunk of stream) read += 1;
    })(),
  ).rejects.toMatchObject({ code: expect.stringMatching(/^(BROKER_LOST|CLOSED)$/), delivery: "maybe-executed" });
  await expect.poll(() => read, PATIENTLY).toBeGreaterThan(20);
  await first.broker.stop();
  await failed;
  expect(await endings.take()).toMatchObject({ code: expect.stringMatching(/^(BROKER_LOST|CLOSED|CANCELED)$/) });
  await expect.poll(() => source.isClosed, PATIENTLY).toBe(true);
  const { broker } = await startBroker({}, first.address);
  expect(await client.of(FILES).trade([1, 2]).toArray()).toEqual([1, 2]);
  expect(broker.stats()).toMatchObject({ open: 0 });
});

/** Chunks with a pause that a test ends. */
function pausing() {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* chunks(): AsyncGenerator<number> {
    yield 1;
    await released;
    yield 2;
  }
  return { chunks: chunks(), release };
}

test("a host that stops waits for an open upload", async () => {
  const { address, broker } = await startBroker();
  const host = newHost(address, { stopTimeoutMs: 30_000 });
  const begun = new Inbox<number>();
  host.serve(FILES, { ...filesOf(new Inbox()), load: async (chunks) => sumOf(chunks, begun) });
  await host.start();
  const client = await startClient(address);
  const { chunks, release } = pausing();
  const uploaded = client.of(FILES).load(chunks);
  await begun.take();
  const stopped = host.stop();
  release();
  expect(await uploaded).toBe(3);
  await stopped;
  expect(broker.stats()).toMatchObject({ open: 0, workers: 0 });
});

test("a host that stops ends an upload that takes too long, at both ends", async () => {
  const { address, broker } = await startBroker();
  const host = newHost(address, { stopTimeoutMs: 100 });
  const endings = new Inbox<unknown>();
  host.serve(FILES, filesOf(endings));
  await host.start();
  const client = await startClient(address);
  const source = new Endless();
  const failed = expect(client.of(FILES).load(source)).rejects.toMatchObject({
    code: "WORKER_LOST",
    delivery: "maybe-executed",
  });
  await expect.poll(() => source.taken, PATIENTLY).toBeGreaterThan(20);
  await host.stop();
  await failed;
  expect(await endings.take()).toMatchObject({ code: "CLOSED" });
  await expect.poll(() => source.isClosed, PATIENTLY).toBe(true);
  expect(broker.stats()).toMatchObject({ open: 0, workers: 0 });
});

async function sumOf(chunks: AsyncIterable<number>, begun: Inbox<number>): Promise<number> {
  let sum = 0;
  for await (const chunk of chunks) {
    sum += chunk;
    begun.add(chunk);
  }
  return sum;
}

test("a second client with the same id is refused, and the uploads of the first go on", async () => {
  const { address, rejections } = await startBroker();
  const host = newHost(address);
  host.serve(FILES, filesOf(new Inbox()));
  await host.start();
  const first = await startClient(address, { clientId: "same" });
  const { chunks, release } = pausing();
  const uploaded = first.of(FILES).load(chunks);
  const second = newClient(address, { clientId: "same", logger: false });
  second.on("error", () => {});
  second.start().catch(() => {});
  const stolen = second.of(FILES).load([1], { timeout: 500 });
  const failed = expect(stolen).rejects.toMatchObject({ delivery: "not-sent" });
  await rejections.take();
  await failed;
  release();
  expect(await uploaded).toBe(2);
});

test("requests that call each other in a circle end at the deadline of the first, at each hop", async () => {
  const { address, broker } = await startBroker();
  const loop = (name: string) => service(name, { run: unary<number, string>() });
  const failures = new Inbox<readonly [name: string, code: unknown]>();
  for (const [name, other] of [
    ["a", "b"],
    ["b", "a"],
  ] as const) {
    const host = newHost(address, { concurrency: 1, logger: false });
    host.serve(loop(name), {
      run: async (hops, ctx) => {
        if (hops === 0) return name;
        try {
          return await ctx.client.of(loop(other)).run(hops - 1);
        } catch (error) {
          failures.add([name, Reflect.get(Object(error), "code")]);
          throw error;
        }
      },
    });
    await host.start();
  }
  const client = await startClient(address);
  const run = (name: string, hops: number, deadline: number) => client.of(loop(name)).run(hops, { deadline });
  // Now the nested clients are connected.
  expect([await run("a", 1, 20_000), await run("b", 1, 20_000)]).toEqual(["b", "a"]);
  await expect(run("a", 5, 1_500)).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
  // A request that waited may still get the slot of the one that ended before it.
  const ended = new Set<string>();
  while (ended.size < 2) {
    const [name, code] = await failures.take();
    expect(code).toMatch(/^(DEADLINE_EXCEEDED|CANCELED)$/);
    ended.add(name);
  }
  await expect.poll(() => broker.stats(), PATIENTLY).toMatchObject({ open: 0, inFlight: 0 });
  expect(await run("a", 1, 20_000)).toBe("b");
});

test("255 services of a host answer while another one of them is slow", async () => {
  const { address, broker } = await startBroker();
  const host = newHost(address);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  for (let index = 0; index < 256; index++) {
    host.register(
      `s${index}`,
      async () => {
        if (index === 0) await released;
        return index;
      },
      "run",
    );
  }
  await host.start();
  expect(broker.stats()).toMatchObject({ workers: 1, services: 256 });
  const client = await startClient(address);
  const call = (index: number) => client.call<number>(`s${index}`, [], { method: "run", args: true, timeout: 10_000 });
  const slow = Array.from({ length: 50 }, () => call(0));
  const others = await Promise.all(Array.from({ length: 255 }, (_, index) => call(index + 1)));
  expect(others).toEqual(Array.from({ length: 255 }, (_, index) => index + 1));
  release();
  expect(await Promise.all(slow)).toEqual(slow.map(() => 0));
});
