// Streamed input through a real broker: every source arrives whole and in order, as fast as the handler reads, and every event
// ends both directions with an error that says why.

import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { ReadableStream } from "node:stream/web";
import type { Client } from "@pigato/client";
import type { Reply } from "@pigato/worker";
import { expect, test } from "vitest";
import { startBroker, startClient, startWorker } from "../support/start.ts";
import { PATIENTLY } from "./parts.ts";

interface Running {
  readonly client: Client;
  readonly running: Awaited<ReturnType<typeof startBroker>>;
}

async function serve(handler: (data: unknown, reply: Reply) => unknown, bind = "tcp://127.0.0.1:*"): Promise<Running> {
  const running = await startBroker({}, bind);
  await startWorker(running.address, "load", handler);
  return { client: await startClient(running.address), running };
}

async function collect(_: unknown, reply: Reply): Promise<unknown[]> {
  const chunks: unknown[] = [];
  for await (const chunk of reply.input) chunks.push(chunk);
  return chunks;
}

async function sizes(_: unknown, reply: Reply): Promise<number> {
  let bytes = 0;
  for await (const chunk of reply.input) bytes += chunk.length;
  return bytes;
}

const NUMBERS = Array.from({ length: 20_000 }, (_, number) => number);

async function* generate<Value>(values: Iterable<Value>): AsyncGenerator<Value> {
  for (const value of values) {
    if (value === 1_000) await new Promise(setImmediate);
    yield value;
  }
}

test.each<[string, () => Parameters<Client["upload"]>[1]]>([
  ["an array", () => NUMBERS],
  ["a generator", () => new Set(NUMBERS).values()],
  ["an async generator", () => generate(NUMBERS)],
  ["a Node stream", () => Readable.from(NUMBERS)],
  ["a web stream", () => ReadableStream.from(NUMBERS)],
  ["a function that returns one", () => () => NUMBERS],
  ["a function that resolves to one", () => async () => generate(NUMBERS)],
])("the chunks of %s arrive whole and in order", async (_, source) => {
  const { client } = await serve(collect);
  expect(await client.upload("load", source())).toEqual(NUMBERS);
});

test("an empty source ends the input", async () => {
  const { client } = await serve(collect);
  expect(await client.upload("load", [])).toEqual([]);
});

test.each<[string, () => Parameters<Client["upload"]>[1]]>([
  ["a Blob", () => new Blob([new Uint8Array(3_000_000)])],
  ["a Uint8Array", () => new Uint8Array(3_000_000)],
  [
    "a stream of Buffers",
    () => Readable.from([Buffer.alloc(1_000_000), Buffer.alloc(2_000_000)], { objectMode: false }),
  ],
])("%s is sent as bytes", async (_, source) => {
  const { client } = await serve(sizes);
  expect(await client.upload("load", source())).toBe(3_000_000);
});

test("input and replies stream at the same time, also within pipeline", async () => {
  const { client } = await serve(async (_, reply) => {
    for await (const chunk of reply.input) if (!reply.write({ doubled: chunk * 2 })) await once(reply, "drain");
    reply.end();
  });
  const results: unknown[] = [];
  await pipeline(
    generate(NUMBERS),
    (input) => client.requestStream("load", "data", { input }),
    async (replies: AsyncIterable<unknown>) => {
      for await (const reply of replies) results.push(reply);
    },
  );
  expect(results).toEqual(NUMBERS.map((number) => ({ doubled: number * 2 })));
});

test("the client reads no more of a source than the worker takes", async () => {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const { client } = await serve(async (_, reply) => {
    const input = reply.input[Symbol.asyncIterator]();
    await input.next();
    await released;
    return "enough";
  });
  let given = 0;
  const source = (function* () {
    for (;;) {
      given += 1;
      yield { given };
    }
  })();
  const uploaded = client.upload("load", source);
  await expect.poll(() => given, PATIENTLY).toBeGreaterThanOrEqual(16);
  // A request and its reply pass all that was sent before them.
  await client.call("mmi.service", "load");
  // One more is read and waits.
  expect(given).toBeLessThanOrEqual(17);
  release();
  expect(await uploaded).toBe("enough");
});

test("a reply before the end of the input ends the source without an error", async () => {
  const { client, running } = await serve(async (_, reply) => {
    for await (const chunk of reply.input) return chunk;
  });
  const source = new PassThrough({ objectMode: true });
  const errors: unknown[] = [];
  source.on("error", (error) => errors.push(error));
  source.write("first");
  expect(await client.upload("load", source)).toBe("first");
  expect([source.destroyed, errors]).toEqual([true, []]);
  expect(running.broker.stats()).toMatchObject({ open: 0, inFlight: 0 });
});

test("a source that fails ends the request with CANCELED and its error as the cause, and aborts the handler", async () => {
  const aborts: unknown[] = [];
  const { client, running } = await serve(async (_, reply) => {
    reply.signal.addEventListener("abort", () => aborts.push(reply.signal.reason));
    for await (const _chunk of reply.input);
  });
  const cause = new Error("the disk is gone");
  const failing = async function* () {
    yield 1;
    throw cause;
  };
  await expect(client.upload("load", failing())).rejects.toMatchObject({ code: "CANCELED", cause });
  await expect.poll(() => aborts, PATIENTLY).toMatchObject([{ code: "CANCELED" }]);
  await expect.poll(() => running.broker.stats()?.open, PATIENTLY).toBe(0);
});

test("a stream that fails before it is read ends its request, not the process", async () => {
  const { client } = await serve(() => new Promise(() => {}));
  const source = new PassThrough();
  const uploaded = client.upload("load", source, { timeout: 30_000 });
  source.destroy(new Error("ENOENT"));
  await expect(uploaded).rejects.toMatchObject({ code: "CANCELED", cause: { message: "ENOENT" } });
});

test.each([[null], [undefined], [Symbol("no data")]])(
  "a chunk of %s ends the request with a UsageError as the cause",
  async (chunk) => {
    const { client } = await serve(collect);
    await expect(client.upload("load", [1, chunk])).rejects.toMatchObject({
      code: "CANCELED",
      cause: { name: "UsageError" },
    });
  },
);

test("a canceled upload ends its source, and the handler's loop throws", async () => {
  const controller = new AbortController();
  let thrown: unknown;
  const { client } = await serve(async (_, reply) => {
    try {
      for await (const _chunk of reply.input) controller.abort();
    } catch (error) {
      thrown = error;
    }
  });
  const source = new PassThrough({ objectMode: true });
  source.write(1);
  const uploaded = client.upload("load", source, { signal: controller.signal });
  await expect(uploaded).rejects.toMatchObject({ code: "CANCELED" });
  expect(source.destroyed).toBe(true);
  await expect.poll(() => thrown, PATIENTLY).toMatchObject({ code: "CANCELED" });
});

test("a handler that fails ends the source", async () => {
  const { client } = await serve(async (_, reply) => {
    for await (const _chunk of reply.input) throw new Error("no space");
  });
  const source = new PassThrough({ objectMode: true });
  source.write(1);
  await expect(client.upload("load", source)).rejects.toMatchObject({ code: "WORKER_FAILED", message: "no space" });
  expect(source.destroyed).toBe(true);
});

test("misuse is a UsageError", async () => {
  const { client } = await serve(collect);
  await expect(client.upload("load", JSON.parse("5"))).rejects.toMatchObject({ name: "UsageError" });
  await expect(client.call("load", 1, { input: [1], persist: true })).rejects.toMatchObject({ name: "UsageError" });
  const once = generate([1, 2]);
  expect(await client.upload("load", once)).toEqual([1, 2]);
  await expect(client.upload("load", once)).rejects.toMatchObject({ cause: { name: "UsageError" } });
});
