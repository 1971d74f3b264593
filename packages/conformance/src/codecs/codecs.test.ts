// The codecs raw and msgpack between our client, broker and worker, and with peers that do not know them.

import { Client as ClassicClient, Worker as ClassicWorker } from "pigato";
import { expect, onTestFinished, test } from "vitest";
import { connectRawPeer, startBroker, startClient, startWorker } from "../support/start.ts";

const VALUES = { when: new Date(5), tags: new Map([["a", new Set([1n])]]), ratio: Number.NaN, bytes: Buffer.from("b") };

test("msgpack carries requests, partials and finals that JSON cannot", async () => {
  const { address } = await startBroker();
  const seen: unknown[] = [];
  await startWorker(address, "echo", (data, reply) => {
    seen.push(data);
    reply.write(data);
    reply.end({ last: data });
  });
  const client = await startClient(address);
  expect(await client.collect("echo", VALUES, { codec: "msgpack" })).toEqual([VALUES, { last: VALUES }]);
  expect(seen).toEqual([VALUES]);
});

test("raw carries bytes as they are, in both directions and in a stream", async () => {
  const { address } = await startBroker();
  await startWorker(address, "bytes", (data, reply) => {
    expect(data).toBeInstanceOf(Buffer);
    reply.write(data);
    reply.write(new ArrayBuffer(2));
    reply.write(Buffer.alloc(0));
    reply.end(Buffer.from("undefined"));
  });
  const client = await startClient(address);
  const body = Uint8Array.of(0, 255, 34);
  const chunks = await client.requestStream("bytes", body, { codec: "raw" }).toArray();
  expect(chunks).toEqual([Buffer.from(body), Buffer.alloc(2), Buffer.alloc(0), Buffer.from("undefined")]);
});

test("raw leaves data that is not bytes as JSON, in requests and in replies", async () => {
  const { address } = await startBroker();
  await startWorker(address, "read", (data) => (data === "bytes" ? Buffer.from("b") : { data }));
  const client = await startClient(address);
  expect(await client.call("read", "bytes", { codec: "raw" })).toEqual(Buffer.from("b"));
  expect(await client.call("read", { a: 1 }, { codec: "raw" })).toEqual({ data: { a: 1 } });
  expect(await client.call("read", "bytes")).toEqual({ type: "Buffer", data: [98] });
});

test("a Blob is sent as its bytes, by a call and as the result of a handler", async () => {
  const { address } = await startBroker();
  await startWorker(address, "blob", async (data) => new Blob([String(data), "!"]), { logger: false });
  const client = await startClient(address);
  expect(await client.call("blob", new Blob(["a"]), { codec: "raw" })).toEqual(Buffer.from("a!"));
  expect(await client.collect("blob", new Blob(["b"]), { codec: "raw" })).toEqual([Buffer.from("b!")]);
  await expect(client.call("blob", new Blob(["c"]))).rejects.toMatchObject({ name: "UsageError" });
  await expect(client.call("blob", "d")).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message:
      'JSON cannot carry data, an ArrayBuffer: use the codec "raw" for bytes alone, or "msgpack" for data with bytes',
  });
});

test("errors are JSON, whatever codec was asked for", async () => {
  const { address } = await startBroker();
  await startWorker(address, "fail", (_data, reply) => {
    reply.opts.codec = "mine";
    throw Object.assign(new RangeError("no"), { code: "E_NO" });
  });
  const client = await startClient(address);
  for (const codec of ["raw", "msgpack"] as const) {
    const failure = { code: "WORKER_FAILED", message: "no", cause: { name: "RangeError", code: "E_NO" } };
    await expect(client.call("fail", Buffer.from("x"), { codec })).rejects.toMatchObject(failure);
  }
});

test("a value that the codec cannot carry fails where it is written", async () => {
  const { address } = await startBroker();
  await startWorker(address, "fn", () => ({ items: [{ run() {} }] }), { logger: false });
  const client = await startClient(address);
  const refused = { name: "UsageError", message: "MessagePack cannot carry data.when, a symbol" };
  await expect(client.call("fn", { when: Symbol("s") }, { codec: "msgpack" })).rejects.toMatchObject(refused);
  await expect(client.call("fn", 1, { codec: "msgpack" })).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message: "MessagePack cannot carry data.items[0].run, a function",
  });
});

test("a malformed body ends its request with INVALID, and not the worker", async () => {
  const { address } = await startBroker();
  const worker = await startWorker(address, "echo", (data) => data);
  const peer = connectRawPeer(address, "a-client");
  await peer.send("C", "2", "echo", "r1", "\xc1", '{"codec":"msgpack"}');
  const frames = await peer.receive("C", "3", "", "r1");
  expect(frames[4]).toBe("-1");
  expect(JSON.parse(String(frames[5]))).toMatchObject({
    code: "INVALID",
    message: "the data of request r1 is not msgpack",
  });
  expect(worker.socketId).not.toBe("");
});

test("a client fails a body in a codec that its broker does not support, and sends nothing", async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data) => data);
  const client = await startClient(address, { negotiate: false });
  await expect(client.call("echo", Buffer.from("x"), { codec: "raw" })).rejects.toMatchObject({
    name: "UsageError",
    message: expect.stringContaining("(codec=raw)"),
    cause: { code: "INVALID", delivery: "not-sent" },
  });
  // A client that only asks for a codec gets JSON from a worker that does not know it.
  expect(await client.call("echo", { a: 1 }, { codec: "raw" })).toEqual({ a: 1 });
});

test("a worker that does not negotiate replies with JSON", async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", () => Buffer.from("b"), { negotiate: false });
  const client = await startClient(address);
  expect(await client.call("echo", 1, { codec: "raw" })).toEqual({ type: "Buffer", data: [98] });
});

test("a classic client that uses the word for an option of its own is served in JSON", async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data, _reply, opts) => ({ data, codec: opts.codec }));
  const peer = connectRawPeer(address, "a-client");
  await peer.send("C", "2", "echo", "r1", '"x"', '{"codec":"h264"}');
  expect((await peer.receive("C", "3", "", "r1"))[5]).toBe('{"data":"x","codec":"h264"}');
});

test("data that JSON would lose is refused at its sender, unless that allows it", async () => {
  const { address } = await startBroker();
  await startWorker(address, "echo", (data) => data);
  await startWorker(address, "map", () => ({ items: [new Map()] }), { logger: false });
  await startWorker(address, "lossy", () => [new Map(), Number.NaN], { allowLoss: true });
  const client = await startClient(address);
  const place = 'JSON cannot carry data.items[3].when, a Set: use the codec "msgpack"';
  const data = { items: [1, 2, 3, { when: new Set() }] };
  await expect(client.call("echo", data)).rejects.toMatchObject({ name: "UsageError", message: place });
  expect(() => client.request("echo", data)).toThrow(place);
  expect(await client.call("echo", data, { codec: "msgpack" })).toEqual(data);
  const failure = { code: "WORKER_FAILED", message: 'JSON cannot carry data.items[0], a Map: use the codec "msgpack"' };
  await expect(client.call("map")).rejects.toMatchObject(failure);
  expect(await client.call("lossy")).toEqual([{}, null]);
  const lossy = await startClient(address, { allowLoss: true });
  expect(await lossy.call("echo", data)).toEqual({ items: [1, 2, 3, { when: {} }] });
});

test("the package pigato sends what JSON would lose as the original does", async () => {
  const { address } = await startBroker();
  const worker = new ClassicWorker(address, "echo");
  worker.on("request", (data, reply) => reply.end([data, Number.NaN]));
  onTestFinished(() => worker.stop());
  worker.start();
  const client = new ClassicClient(address);
  onTestFinished(() => client.stop());
  client.start();
  const value = await new Promise((resolve) => {
    client.request("echo", { when: new Map() }, undefined, (_error, reply) => resolve(reply));
  });
  expect(value).toEqual([{ when: {} }, null]);
});
