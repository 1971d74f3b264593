// Interceptors around the requests of a client: which requests pass them, and what their faults do.

import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import type { AnyRequest, Interceptor } from "@pigato/contract";
import { decodePayload, type Failure, RequestError, UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import { type FakeBroker, failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

const LOST: Failure = { code: "WORKER_LOST", message: "lost", delivery: "dispatched" };

/** Notes what it sees. */
function tracing(seen: string[]): Interceptor {
  return (next) => async (request) => {
    seen.push(`${request.side} ${request.kind} ${request.service} ${JSON.stringify(request.input)}`);
    try {
      const reply = await next(request);
      seen.push("reply");
      return reply;
    } catch (error) {
      seen.push(`failed: ${String(Reflect.get(Object(error), "code"))}`);
      throw error;
    }
  };
}

/** Sends a request once more after a failure. */
const again: Interceptor = (next) => (request) => next(request).catch(() => next(request.with({ attempt: 2 })));

/** The options of the first request, as they were sent. */
function optionsOf(broker: FakeBroker): unknown {
  const frame = broker.requests[0]?.trailer[0];
  return frame === undefined ? undefined : decodePayload(frame);
}

describe("a request passes the interceptors", () => {
  test("of call()", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const seen: string[] = [];
    client.use(tracing(seen));
    await expect(client.call("echo", { a: 1 })).resolves.toEqual({ a: 1 });
    expect(seen).toEqual(['client unary echo {"a":1}', "reply"]);
  });

  test("of collect()", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, 2], 3);
    const seen: string[] = [];
    client.use(tracing(seen));
    await expect(client.collect("echo")).resolves.toEqual([1, 2, 3]);
    expect(seen).toEqual(["client unary echo undefined", "reply"]);
  });

  test("of a stream, before its first chunk", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, 2], 3);
    const seen: string[] = [];
    client.use(tracing(seen));
    expect(await client.request("echo", "x").toArray()).toEqual([1, 2, 3]);
    expect(seen).toEqual(['client serverStream echo "x"', "reply"]);
  });

  test("of callbacks, which get partials as they come", async () => {
    const { client, broker } = await kit.started();
    broker.answer([1, 2], 3);
    const seen: string[] = [];
    client.use(tracing(seen));
    const replies: unknown[] = [];
    await new Promise<void>((resolve) => {
      client.request(
        "echo",
        "x",
        (_error, value) => replies.push(value),
        (error, value) => {
          replies.push(error, value);
          resolve();
        },
      );
    });
    expect(replies).toEqual([1, 2, null, 3]);
    expect(seen).toEqual(['client unary echo "x"', "reply"]);
  });

  test("in the order in which they were added", async () => {
    const { client, broker } = await kit.started();
    broker.echo();
    const order: string[] = [];
    for (const name of ["first", "second"]) {
      client.use((next) => (request) => {
        order.push(name);
        return next(request);
      });
    }
    await client.call("echo");
    expect(order).toEqual(["first", "second"]);
  });
});

test("an interceptor changes headers, input and output", async () => {
  const { client, broker } = await kit.started();
  broker.echo();
  client.use((next) => async (request) => {
    if (request.kind !== "unary") return next(request);
    request.headers.set("Trace", "t1");
    const reply = await next(request.with({ input: Number(request.input) + 1 }));
    return reply.kind === "unary" ? { ...reply, output: [reply.output] } : reply;
  });
  await expect(client.call("echo", 1, { headers: { tenant: "a" } })).resolves.toEqual([2]);
  expect(optionsOf(broker)).toMatchObject({ headers: { tenant: "a", trace: "t1" } });
});

test("an interceptor answers without sending the request", async () => {
  const { client, broker } = await kit.started();
  client.use(() => async (request) => request.respond("cached"));
  await expect(client.call("echo")).resolves.toBe("cached");
  expect(broker.requests).toEqual([]);
});

describe("an interceptor retries", () => {
  test("a call", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      if (broker.requests.length === 1) broker.fail(request, LOST);
      else broker.answer([], "done").onRequest(request);
    };
    client.use(again);
    await expect(client.call("echo")).resolves.toBe("done");
  });

  test("a stream before its first chunk, and not after it", async () => {
    const { client, broker } = await kit.started();
    client.use(again);
    broker.onRequest = (request) => {
      if (broker.requests.length === 1) return broker.fail(request, LOST);
      broker.partial(request, "chunk");
      setImmediate(() => broker.fail(request, LOST));
    };
    const stream = client.request("echo");
    const chunks: unknown[] = [];
    stream.on("data", (chunk) => chunks.push(chunk));
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: "WORKER_LOST" });
    expect(chunks).toEqual(["chunk"]);
    expect(broker.requests).toHaveLength(2);
  });

  test("a request with callbacks, unless it has had a partial", async () => {
    const { client, broker } = await kit.started();
    client.use(again);
    broker.onRequest = (request) => {
      broker.partial(request, "chunk");
      broker.fail(request, LOST);
    };
    const partials: unknown[] = [];
    const error = await new Promise((resolve) => {
      client.request("echo", 1, (_error, value) => partials.push(value), resolve);
    });
    expect(error).toMatchObject({ code: "WORKER_LOST" });
    expect(partials).toEqual(["chunk"]);
    expect(broker.requests).toHaveLength(1);
  });
});

describe("a fault of an interceptor fails its request alone", () => {
  const error = new Error("interceptor failed");
  const faults: [string, Interceptor][] = [
    [
      "a throw",
      () => () => {
        throw error;
      },
    ],
    ["a rejection", () => () => Promise.reject(error)],
    [
      "a throw after the reply",
      (next) => async (request) => {
        await next(request);
        throw error;
      },
    ],
  ];

  test.each(faults)("%s", async (_name, interceptor) => {
    const { client, broker } = await kit.started();
    broker.answer([1], 2);
    client.use(interceptor);
    await expect(client.call("echo")).rejects.toBe(error);
    await expect(client.collect("echo")).rejects.toBe(error);
    await expect(client.request("echo").toArray()).rejects.toBe(error);
    const callback = await new Promise((resolve) => client.request("echo", 1, undefined, resolve));
    expect(callback).toMatchObject({ name: "RequestError", code: "CANCELED", cause: error });
  });

  test("a failure after the reply cancels the stream that it left open", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.partial(request, 1);
    client.use((next) => async (request) => {
      await next(request);
      throw error;
    });
    await expect(client.request("echo").toArray()).rejects.toBe(error);
    await settled();
    expect(broker.typesSeen()).toContain("cancel");
  });

  test("anything but a function is rejected at once", async () => {
    const { client } = await kit.started();
    const name: string = "value";
    expect(() => client.use(Reflect.get({ value: 5 }, name))).toThrow(UsageError);
  });
});

describe("an interceptor that never sends its request", () => {
  const silent: Interceptor = () => () => new Promise(() => {});

  test("fails it after its timeout", async () => {
    const { client } = await kit.started();
    client.use(silent);
    const failed = failureOf(client.call("echo", 1, { timeout: 500 }));
    kit.clock.advance(500);
    expect(await failed).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
  });

  test("fails it at its deadline", async () => {
    const { client } = await kit.started();
    client.use(silent);
    const failed = failureOf(client.call("echo", 1, { deadline: 500 }));
    kit.clock.advance(510);
    expect(await failed).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "not-sent" });
  });

  test("fails it when its signal aborts", async () => {
    const { client } = await kit.started();
    client.use(silent);
    const controller = new AbortController();
    const failed = failureOf(client.call("echo", 1, { signal: controller.signal }));
    controller.abort("enough");
    expect(await failed).toMatchObject({ code: "CANCELED", delivery: "not-sent", detail: "enough" });
  });

  test("closes a stream that is destroyed", async () => {
    const { client } = await kit.started();
    let request: AnyRequest | undefined;
    client.use(() => (seen) => {
      request = seen;
      return new Promise(() => {});
    });
    client.request("echo").destroy();
    await settled();
    expect(request?.signal.aborted).toBe(true);
  });
});

test("the deadline of a request bounds all its attempts, and what interceptors do between them", async () => {
  const { client, broker } = await kit.started();
  broker.onRequest = (request) => broker.fail(request, LOST);
  const deadlines: (Date | undefined)[] = [];
  client.use((next) => async (request) => {
    deadlines.push(request.deadline);
    await next(request).catch(() => {});
    return new Promise(() => {});
  });
  const failed = failureOf(client.call("echo", 1, { deadline: 500 }));
  await settled();
  kit.clock.advance(1_600);
  expect(await failed).toMatchObject({ code: "DEADLINE_EXCEEDED", delivery: "maybe-executed" });
  expect(deadlines[0]).toBeInstanceOf(Date);
});

test("a scope cancels its requests, and adds headers to them", async () => {
  const { client, broker } = await kit.started();
  const controller = new AbortController();
  const scoped = client.scoped({ signal: controller.signal, headers: { trace: "t1", tenant: "a" } });
  const failed = failureOf(scoped.call("echo", 1, { headers: { Tenant: "b" } }));
  await settled();
  expect(optionsOf(broker)).toMatchObject({ headers: { trace: "t1", tenant: "b" } });
  controller.abort();
  expect(await failed).toMatchObject({ code: "CANCELED" });
});

test("a canceled call keeps what its attempt knows", async () => {
  const { client, broker } = await kit.started();
  client.use((next) => next);
  const controller = new AbortController();
  const failed = failureOf(client.call("echo", 1, { signal: controller.signal }));
  await settled();
  controller.abort();
  const error = await failed;
  expect(error).toBeInstanceOf(RequestError);
  expect(error).toMatchObject({ code: "CANCELED", requestId: expect.stringContaining("-") });
  await settled();
  expect(broker.typesSeen()).toContain("cancel");
});

test("a slow reader of a stream pauses the worker", async () => {
  const { client, broker } = await kit.started();
  client.use((next) => next);
  let granted = 0;
  broker.onCredit = (chunks) => {
    granted += chunks;
  };
  broker.onRequest = (request) => {
    for (let chunk = 0; chunk < 4_000; chunk += 1) broker.partial(request, chunk);
  };
  const stream = client.request("echo");
  await settled();
  const before = granted;
  await settled();
  expect(granted).toBe(before);
  let read = 0;
  for await (const _chunk of stream) {
    read += 1;
    if (read === 3_900) break;
  }
  expect(granted).toBeGreaterThan(before);
});

test("the store of an AsyncLocalStorage is that of the request, in interceptors, callbacks and streams", async () => {
  const storage = new AsyncLocalStorage<string>();
  const { client, broker } = await kit.started();
  broker.answer(["part"], "last");
  const seen: unknown[] = [];
  const note = (): unknown => seen.push(storage.getStore());
  client.use((next) => async (request) => {
    note();
    const reply = await next(request);
    note();
    return reply;
  });
  await storage.run("call", () => client.call("echo"));
  storage.run("callbacks", () => client.request("echo", 1, note, note));
  await settled();
  const stream = storage.run("stream", () => client.request("echo"));
  storage.run("stream", () => stream.on("data", note));
  await once(stream, "close");
  expect(seen).toEqual([
    ...["call", "call"],
    ...["callbacks", "callbacks", "callbacks", "callbacks"],
    ...["stream", "stream", "stream", "stream"],
  ]);
});

test("the options of a request stay as they are", async () => {
  const { client, broker } = await kit.started();
  broker.echo();
  client.use((next) => next);
  await client.call("echo", 1, { timeout: 1_234, retry: 3 });
  expect(optionsOf(broker)).toMatchObject({ timeout: 1_234, retry: 3 });
});
