// The listeners for the headers and the trailers of a reply: when they are called, with what, and what their faults do.

import { AsyncLocalStorage } from "node:async_hooks";
import { serverStream, service, unary } from "@pigato/contract";
import { UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { Client } from "./client.ts";
import type { CallOptions } from "./index.ts";
import { type FakeBroker, failureOf, json, type Request, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

const STOCKS = service("stocks", { quote: unary<string, number>(), watch: serverStream<string, number>() });

/** Replies with two values, with headers on the first and trailers on the last. */
function replyWithHeaders(broker: FakeBroker): void {
  broker.onRequest = ({ requestId }: Request) => {
    const reply = { requestId, status: 0 } as const;
    broker.send({ type: "partial", ...reply, body: [json(1)], trailer: [json({ headers: { Served: "w1", bad: 5 } })] });
    broker.send({ type: "final", ...reply, body: [json(2)], trailer: [json({ trailers: { rows: "2" } })] });
  };
}

const CALLS: readonly [name: string, call: (client: Client, options: CallOptions) => Promise<unknown>][] = [
  ["call()", (client, options) => client.call("stocks", "ACME", options)],
  ["collect()", (client, options) => client.collect("stocks", "ACME", options)],
  ["upload()", (client, options) => client.upload("stocks", ["ACME"], options)],
  ["a stream", (client, options) => client.request("stocks", "ACME", options).toArray()],
  ["a method", (client, { onHeaders, onTrailers }) => client.of(STOCKS).quote("ACME", { onHeaders, onTrailers })],
  [
    "a stream of a method",
    (client, { onHeaders, onTrailers }) => {
      return client.of(STOCKS, { onHeaders, onTrailers }).watch("ACME").toArray();
    },
  ],
];

describe.each([false, true])("with interceptors: %s", (isIntercepted) => {
  async function started(): Promise<{ readonly client: Client; readonly broker: FakeBroker }> {
    const setting = await kit.started();
    if (isIntercepted) setting.client.use((next) => next);
    return setting;
  }

  test.each(CALLS)("the listeners of %s get headers and trailers", async (_name, call) => {
    const { client, broker } = await started();
    replyWithHeaders(broker);
    const seen: unknown[] = [];
    await call(client, {
      onHeaders: (headers) => seen.push(headers.get("SERVED"), headers.size),
      onTrailers: (trailers) => seen.push(trailers.toJSON()),
    });
    expect(seen).toEqual(["w1", 1, { rows: "2" }]);
  });

  test.each(CALLS)("the listeners of %s get empty headers from a worker that sends none", async (_name, call) => {
    const { client, broker } = await started();
    broker.answer([1], 2);
    const seen: number[] = [];
    await call(client, { onHeaders: ({ size }) => seen.push(size), onTrailers: ({ size }) => seen.push(size) });
    expect(seen).toEqual([0, 0]);
  });

  test.each(CALLS)("a listener of %s that throws fails its request", async (_name, call) => {
    const { client, broker } = await started();
    replyWithHeaders(broker);
    const cause = new Error("no such tenant");
    for (const name of ["onHeaders", "onTrailers"] as const) {
      const failure = await failureOf(
        call(client, {
          [name]: () => {
            throw cause;
          },
        }),
      );
      expect(failure).toMatchObject({ code: "CANCELED", delivery: "maybe-executed", service: "stocks", cause });
      expect(failure.message).toBe(`request to "stocks" failed in its listener ${name}: no such tenant`);
    }
  });

  test.each(CALLS)("no listener of %s is called if its request fails", async (_name, call) => {
    const { client, broker } = await started();
    broker.onRequest = (request) => broker.final(request, "broken", -1);
    const seen: unknown[] = [];
    const listen = (): unknown => seen.push("called");
    await failureOf(call(client, { onHeaders: listen, onTrailers: listen }));
    expect(seen).toEqual([]);
  });

  test("headers come before the chunks of a stream, and trailers after them", async () => {
    const { client, broker } = await started();
    replyWithHeaders(broker);
    const seen: unknown[] = [];
    const stream = client.request("stocks", "ACME", {
      onHeaders: () => seen.push("headers"),
      onTrailers: () => seen.push("trailers"),
    });
    for await (const chunk of stream) seen.push(chunk);
    expect(seen[0]).toBe("headers");
    expect(seen.filter((value) => value !== "trailers")).toEqual(["headers", 1, 2]);
    expect(seen).toContain("trailers");
  });

  test("a listener runs in the async context of its request", async () => {
    const { client, broker } = await started();
    replyWithHeaders(broker);
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    await storage.run("mine", () => client.call("stocks", 1, { onHeaders: () => seen.push(storage.getStore()) }));
    expect(seen).toEqual(["mine"]);
  });
});

test("a listener gets the headers of the last attempt, as the interceptors left them", async () => {
  const { client, broker } = await kit.started();
  replyWithHeaders(broker);
  client.use((next) => async (request) => {
    await next(request);
    const reply = await next(request.with({ attempt: 2 }));
    reply.headers.set("attempts", "2");
    return reply;
  });
  const seen: unknown[] = [];
  await client.call("stocks", "ACME", { onHeaders: (headers) => seen.push(headers.toJSON()) });
  expect(seen).toEqual([{ served: "w1", attempts: "2" }]);
});

test("a listener that throws at the first chunk cancels its request at the broker", async () => {
  const { client, broker } = await kit.started();
  broker.onRequest = (request) => broker.partial(request, 1);
  const failed = failureOf(
    client.call("stocks", "ACME", {
      onHeaders() {
        throw new Error("enough");
      },
    }),
  );
  expect(await failed).toMatchObject({ code: "CANCELED" });
  await settled();
  expect(broker.typesSeen()).toEqual(["request", "cancel"]);
});

test("a listener is not sent, and must be a function", async () => {
  const { client, broker } = await kit.started();
  broker.echo();
  await client.call("stocks", "ACME", { onHeaders() {} });
  expect(broker.requests[0]?.trailer.map(String)).toEqual([json({ timeout: 60_000, retry: 0 })].map(String));
  const options: object = { onHeaders: "log" };
  await expect(client.call("stocks", "ACME", options)).rejects.toThrow(UsageError);
});

test.each(["mdp02", "omdp"] as const)("the wire of %s carries no headers of replies", async (dialect) => {
  const client = kit.newClient({ dialect });
  await expect(client.call("stocks", "ACME", { onHeaders() {} })).rejects.toThrow('"onHeaders"');
});
