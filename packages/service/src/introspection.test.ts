import { EventEmitter, once } from "node:events";
import type { Client } from "@pigato/client";
import { type } from "arktype";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Host, type Interceptor, serverStream, service, unary } from "./index.ts";
import { start } from "./testing/start.ts";

const STOCKS = service("stocks", {
  quote: unary({ input: z.object({ ticker: z.string() }), errors: { NO: type("string") }, idempotent: true }),
  watch: serverStream<string, number>(),
});

function serve(host: Host): void {
  host.serve(STOCKS, {
    quote: async ({ ticker }, ctx) => (ticker === "ACME" ? 7 : ctx.fail("NO", ticker)),
    watch: async function* () {},
  });
  host.register("stocks", () => 1, "reset");
}

test("P-CALL-4: a host describes its methods, with JSON Schema where the library exports it", async () => {
  const { client } = await start(serve);
  const described = await client.describe("stocks");
  expect(described).toEqual({
    service: "stocks",
    host: expect.stringMatching(/^W/),
    methods: [
      {
        name: "quote",
        kind: "unary",
        idempotent: true,
        errors: { NO: expect.objectContaining({ type: "string" }) },
        input: expect.objectContaining({ type: "object", properties: { ticker: { type: "string" } } }),
      },
      { name: "watch", kind: "serverStream", idempotent: false, errors: {} },
      { name: "reset", kind: "function", idempotent: false, errors: {} },
    ],
  });
  expect(await client.describe("stocks", { workerId: described.host })).toEqual(described);
});

test("a name without a version describes its highest version, unless a worker offers the name itself", async () => {
  const { client, host } = await start((started) => {
    started.register("prices@1.2.0", () => 1, "older");
    started.register("prices@1.10.0", () => 1, "newer");
  });
  expect(await client.describe("prices")).toMatchObject({ service: "prices@1.10.0", methods: [{ name: "newer" }] });
  expect(await client.describe("prices@~1.2")).toMatchObject({ service: "prices@1.2.0" });
  const waiting = client.describe("later");
  host.register("later", () => 1, "now");
  expect(await waiting).toMatchObject({ service: "later" });
  host.register("prices", () => 1, "bare");
  await client.call("prices", undefined, { method: "$ping" });
  expect(await client.describe("prices")).toMatchObject({ service: "prices" });
});

test("P-CALL-4: a host counts the requests of its methods", async () => {
  const { client, host } = await start(serve);
  const api = client.of(STOCKS);
  await api.quote({ ticker: "ACME" });
  await api.quote.safe({ ticker: "NOPE" });
  await api.quote.safe(JSON.parse("{}"));
  const stats = await client.call("stocks", undefined, { method: "$stats" });
  expect(stats).toEqual({
    service: "stocks",
    host: expect.any(String),
    uptimeMs: expect.any(Number),
    methods: [
      { name: "quote", requests: 3, running: 0, failures: 1, refused: 1, totalMs: expect.any(Number) },
      { name: "watch", requests: 0, running: 0, failures: 0, refused: 0, totalMs: 0 },
      { name: "reset", requests: 0, running: 0, failures: 0, refused: 0, totalMs: 0 },
    ],
  });
  const ping = { service: "stocks", host: Reflect.get(Object(stats), "host") };
  expect(await client.call("stocks", undefined, { method: "$ping" })).toEqual(ping);
  expect(await client.call("stocks", { method: "$ping" })).toEqual(ping);
  expect(host.listenerCount("error")).toBe(0);
});

describe("P-CALL-4: a host counts a request as running", () => {
  const KINDS = service("kinds", { one: unary<number, number>(), many: serverStream<number, number>() });
  const interceptors: Interceptor[] = [(next) => async (request) => next(request)];

  async function countsOf(client: Client): Promise<unknown> {
    const stats = await client.call("kinds", undefined, { method: "$stats" });
    const methods: unknown = Reflect.get(Object(stats), "methods");
    return Array.isArray(methods)
      ? methods.map(({ requests, running, failures }) => [requests, running, failures])
      : [];
  }

  test.each([
    ["one", "none", []],
    ["many", "none", []],
    ["one", "one", interceptors],
    ["many", "one", interceptors],
  ] as const)(
    "%s: until its handler ends, also after its caller canceled it (interceptors: %s)",
    async (method, _, own) => {
      const events = new EventEmitter();
      const wait = async (signal: AbortSignal): Promise<number> => {
        events.emit("started", signal);
        await once(events, "release");
        return 1;
      };
      const { client } = await start((host) =>
        host.serve(
          KINDS,
          {
            one: (_input, ctx) => wait(ctx.signal),
            many: async function* (_input, ctx) {
              yield await wait(ctx.signal);
            },
          },
          { interceptors: own },
        ),
      );
      const canceling = new AbortController();
      const started = once(events, "started");
      const called = client.collect("kinds", 1, { method, signal: canceling.signal }).catch(({ code }) => code);
      const [signal] = await started;
      const aborted = once(signal, "abort");
      const expected =
        method === "one" ? (counts: unknown) => [counts, [0, 0, 0]] : (counts: unknown) => [[0, 0, 0], counts];
      expect(await countsOf(client)).toEqual(expected([1, 1, 0]));
      canceling.abort();
      expect(await called).toBe("CANCELED");
      await aborted;
      expect(await countsOf(client)).toEqual(expected([1, 1, 0]));
      events.emit("release");
      await expect.poll(() => countsOf(client), { timeout: 10_000 }).toEqual(expected([1, 0, 0]));
    },
  );

  test("and not as failed, if its handler fails after its caller canceled it", async () => {
    const events = new EventEmitter();
    const { client } = await start((host) =>
      host.serve(KINDS, {
        one: async (_input, ctx) => {
          events.emit("started");
          await once(ctx.signal, "abort");
          throw ctx.signal.reason;
        },
        many: async function* () {},
      }),
    );
    const canceling = new AbortController();
    const started = once(events, "started");
    const called = client.of(KINDS).one.safe(1, { signal: canceling.signal });
    await started;
    canceling.abort();
    await called;
    await expect
      .poll(() => countsOf(client), { timeout: 10_000 })
      .toEqual([
        [1, 0, 0],
        [0, 0, 0],
      ]);
  });
});

test("the methods of the host itself cannot be replaced, and are not listed among those of the service", async () => {
  expect(() => new Host("tcp://127.0.0.1:1").register("x", () => 1, "$info")).toThrow("must be");
  const { client } = await start(serve);
  await expect(client.call("stocks", 1, { method: "$other" })).rejects.toThrow(
    'service "stocks" has no method "$other": it has quote, watch, reset',
  );
});
