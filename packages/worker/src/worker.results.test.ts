// What a handler returns is the final reply.

import { EventEmitter } from "node:events";
import { RequestError } from "@pigato/protocol";
import { describe, expect, test, vi } from "vitest";
import { setUp } from "./testing/set-up.ts";
import type { RequestHandler } from "./worker.ts";

/** The messages that the worker sends for a request, whose data is 20. */
async function messagesOf(...handlers: readonly RequestHandler[]): Promise<string[]> {
  const { worker, broker, errors, connect, settle } = await setUp({ logger: false });
  for (const handler of handlers) worker.on("request", handler);
  await connect();
  broker.request("r1", "20");
  await settle();
  expect(errors).toEqual([]);
  return broker.takeMessages();
}

describe("a value that a handler returns", () => {
  test.each<[string, RequestHandler, string]>([
    ["a value", (data) => ({ twice: Number(data) * 2 }), 'final r1 0 {"twice":40}'],
    ["a promise of a value", async (data) => Number(data) * 2, "final r1 0 40"],
    ["null", () => null, "final r1 0 null"],
    ["false", async () => false, "final r1 0 false"],
  ])("is its final reply: %s", async (_what, handler, message) => {
    expect(await messagesOf(handler)).toEqual([message]);
  });

  test("ends a reply that has begun", async () => {
    const messages = await messagesOf(async (_data, reply) => {
      reply.write("part");
      return "last";
    });
    expect(messages).toEqual(['partial r1 0 "part"', 'final r1 0 "last"']);
  });

  test.each<[string, RequestHandler]>([
    ["undefined", () => undefined],
    ["a promise of undefined", async () => {}],
    ["the reply", (_data, reply) => reply.once("close", () => {})],
    ["a timer", () => setTimeout(() => {}, 0)],
    ["an emitter", async () => new EventEmitter()],
    ["a function", () => () => 1],
    ["a symbol", () => Symbol("s")],
  ])("is no reply: %s", async (_what, handler) => {
    expect(await messagesOf(handler)).toEqual([]);
  });

  test("is ignored after the end, and after that of another handler", async () => {
    expect(await messagesOf((_data, reply) => reply.end("end").ended)).toEqual(['final r1 0 "end"']);
    expect(
      await messagesOf(
        () => "first",
        async () => "second",
      ),
    ).toEqual(['final r1 0 "first"']);
  });

  test("is ignored when the request was aborted", async () => {
    const { worker, broker, errors, connect, settle, stop } = await setUp({ stopTimeoutMs: 0 });
    const onAbort = vi.fn();
    worker.on(
      "request",
      (_data, reply) =>
        new Promise((resolve) => {
          reply.signal.addEventListener("abort", () => {
            onAbort();
            resolve("late");
          });
        }),
    );
    await connect();
    broker.request("r1", "20");
    await stop();
    await settle();
    expect(onAbort).toHaveBeenCalled();
    expect(broker.takeMessages().filter((message) => message.startsWith("final"))).toEqual([]);
    expect(errors).toEqual([]);
  });

  test.each<[string, RequestHandler]>([
    ["returns", () => 1n],
    ["resolves to", async () => 1n],
  ])("that cannot be sent fails the request: it %s a BigInt", async (_how, handler) => {
    const [message, ...rest] = await messagesOf(handler);
    expect(message).toMatch(/^final r1 -1 .*"UsageError","message":"JSON cannot carry data, a BigInt/);
    expect(rest).toEqual([]);
  });
});

describe("the failure of a request that a handler made itself", () => {
  const failure = new RequestError(
    { code: "UNAVAILABLE", message: "no worker", delivery: "not-sent" },
    { service: "b", requestId: "r9" },
  );
  const body =
    '{"name":"RequestError","message":"no worker","code":"UNAVAILABLE","delivery":"not-sent","service":"b","requestId":"r9"}';

  test.each<[string, RequestHandler]>([
    [
      "throws",
      () => {
        throw failure;
      },
    ],
    ["rejects with", () => Promise.reject(failure)],
    ["passes to reply.error()", (_data, reply) => reply.error(failure)],
  ])("keeps its code and delivery class when the handler %s it", async (_how, handler) => {
    expect(await messagesOf(handler)).toEqual([`final r1 -1 ${body}`]);
  });

  test.each<[string, RequestHandler]>([
    [
      "throws",
      (_data, reply) => {
        reply.write("part");
        throw failure;
      },
    ],
    [
      "passes to reply.error()",
      (_data, reply) => {
        reply.write("part");
        reply.error(failure);
      },
    ],
    [
      "destroys its reply with",
      (_data, reply) => {
        reply.write("part");
        reply.destroy(failure);
      },
    ],
  ])("is not safe to retry after a chunk, when the handler %s it", async (_how, handler) => {
    const last = (await messagesOf(handler)).at(-1);
    expect(last).toBe(`final r1 -1 ${body.replace("not-sent", "maybe-executed")}`);
  });
});
