import { once } from "node:events";
import { type Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { describe, expect, expectTypeOf, test } from "vitest";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

describe("request() as a stream", () => {
  test("emits every chunk and then ends", async () => {
    const { client, broker } = await kit.started();
    broker.answer(["a", 0, false, ""], { last: true });
    const stream = client.request("echo", "data");
    expectTypeOf(stream).toExtend<Readable>();
    const chunks: unknown[] = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    await once(stream, "end");
    expect(chunks).toEqual(["a", 0, false, "", { last: true }]);
  });

  test("has chunks of the type that the caller gives", async () => {
    const { client, broker } = await kit.started();
    broker.answer([{ row: 1 }], { row: 2 });
    const stream = client.request<{ row: number }>("rows");
    expectTypeOf(await client.request<{ row: number }>("rows").toArray()).toEqualTypeOf<{ row: number }[]>();
    stream.once("data", (chunk) => expectTypeOf(chunk).toEqualTypeOf<{ row: number }>());
    stream.on("dispatched", (worker) => expectTypeOf(worker).toEqualTypeOf<string>());
    for await (const chunk of stream) expectTypeOf(chunk).toEqualTypeOf<{ row: number }>();
    for await (const chunk of client.requestStream("rows")) expectTypeOf(chunk).toEqualTypeOf<unknown>();
  });

  test("emits the partials of one message one by one", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      broker.partials(request, [1, null, "two"]);
      broker.final(request, 3);
    };
    expect(await client.request("echo").toArray()).toEqual([1, "two", 3]);
  });

  test("can be iterated, and leaves out null, which a stream cannot emit", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, null, undefined, 2], null);
    expect(await client.request("echo").toArray()).toEqual([1, 2]);
  });

  test("can be piped to a writable of bytes", async () => {
    const { client, broker } = await kit.started();
    broker.answer(["one ", "two "], "three");
    let text = "";
    const output = new Writable({
      write(chunk, _encoding, done) {
        text += String(chunk);
        done();
      },
    });
    await pipeline(client.request("my-service", "foo", { timeout: 120_000 }), output);
    expect(text).toBe("one two three");
  });

  test("fails with the request's error", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.final(request, "boom", -1);
    };
    const chunks: unknown[] = [];
    const reading = (async () => {
      for await (const chunk of client.requestStream("echo")) chunks.push(chunk);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: "WORKER_FAILED", message: "boom" });
  });

  test("cancels its request when it is destroyed", async () => {
    const { client, broker } = await kit.started();
    const stream = client.request("echo");
    await settled();
    stream.destroy();
    await once(stream, "close");
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("cancels its request when a for await is left", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      broker.partial(request, 1);
      broker.partial(request, 2);
    };
    for await (const chunk of client.request("echo")) {
      expect(chunk).toBe(1);
      break;
    }
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "cancel"]);
  });

  test("may be destroyed by the listener of the last chunk", async () => {
    const { client, broker } = await kit.started();
    broker.answer([], "last");
    const stream = client.request("echo");
    stream.on("data", () => stream.destroy());
    await once(stream, "close");
    await settled();
    expect(broker.typesSeen()).toEqual(["request"]);
  });

  test("passes on its heartbeats", async () => {
    const { client, broker } = await kit.started();
    const stream = client.request("echo");
    stream.heartbeat();
    await settled();
    expect(broker.typesSeen()).toEqual(["request", "request-heartbeat"]);
    stream.destroy();
  });
});
