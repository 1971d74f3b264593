// The sources of streamed input where the call ends before they are read: closed, and their errors end no process.

import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { z } from "zod";
import { clientStream, type Host, service } from "./index.ts";
import { start } from "./testing/start.ts";

const LOAD = service("load", {
  first: clientStream({ chunk: z.number(), output: z.number() }),
  none: clientStream({ chunk: z.number(), output: z.number() }),
});

function serveLoad(host: Host): void {
  host.serve(LOAD, {
    async first(chunks) {
      for await (const chunk of chunks) return chunk;
      return 0;
    },
    none: () => 1,
  });
}

/** A stream that waits after its chunks. */
function waiting(...chunks: readonly number[]): Readable {
  const stream = new Readable({ objectMode: true, read() {} });
  for (const chunk of chunks) stream.push(chunk);
  return stream;
}

function failing(): Readable {
  const stream = waiting();
  setImmediate(() => stream.destroy(new Error("no such file")));
  return stream;
}

test.each([true, false])("a stream that fails before it is read fails its call (validate: %s)", async (validate) => {
  const { client } = await start(serveLoad);
  await expect(client.of(LOAD, { validate }).first(failing())).rejects.toMatchObject({
    code: "CANCELED",
    detail: expect.objectContaining({ message: "no such file" }),
  });
});

test.each([true, false])("a stream is destroyed when its call ends before it (validate: %s)", async (validate) => {
  const { client } = await start(serveLoad);
  const api = client.of(LOAD, { validate });
  const [unread, read] = [waiting(), waiting(5)];
  expect(await api.none(unread)).toBe(1);
  expect(await api.first(read)).toBe(5);
  expect([unread.destroyed, read.destroyed]).toEqual([true, true]);
});

test("a stream cannot be the input of two validated calls", async () => {
  const { client } = await start(serveLoad);
  const api = client.of(LOAD, { validate: true });
  const read = waiting(5);
  expect(await api.first(read)).toBe(5);
  await expect(api.first(read)).rejects.toMatchObject({ code: "CANCELED" });
});

test.each([true, false])("an interceptor that denies a call ends its stream (validate: %s)", async (validate) => {
  const { client } = await start(serveLoad);
  client.use(() => async () => {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error("denied");
  });
  const api = client.of(LOAD, { validate });
  const unread = waiting();
  await expect(api.none(unread)).rejects.toThrow("denied");
  await expect(api.none(failing())).rejects.toThrow("denied");
  expect(unread.destroyed).toBe(true);
});

test("an interceptor that reads a stream itself leaves none open", async () => {
  const { client } = await start(serveLoad);
  client.use((next) => async (request) => {
    if (request.kind !== "clientStream") return next(request);
    const { input } = request;
    async function* doubled(): AsyncGenerator<number> {
      for await (const chunk of input) yield Number(chunk) * 2;
    }
    return next(request.with({ input: doubled() }));
  });
  const read = waiting(5);
  expect(await client.of(LOAD).first(read)).toBe(10);
  expect(read.destroyed).toBe(true);
});
