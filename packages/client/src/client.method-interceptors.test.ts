// Interceptors and retry policies of methods: those of a contract, and functions without one.

import { type Interceptor, MethodError, serverStream, service, unary } from "@pigato/contract";
import { type Failure, UsageError } from "@pigato/protocol";
import { describe, expect, test } from "vitest";
import type { Client } from "./client.ts";
import { failureOf, settled, TestKit } from "./testing/test-kit.ts";

const kit = new TestKit();

const STOCKS = service("stocks", {
  quote: unary<string, string>({ idempotent: true }),
  buy: unary<string, string>(),
  watch: serverStream<string, number>({ idempotent: true }),
});

const LOST: Failure = { code: "WORKER_LOST", message: "lost", delivery: "maybe-executed" };
const SOON = { backoff: { initialMs: 10, jitter: false } } as const;

function noting(seen: string[], name: string): Interceptor {
  return (next) => (request) => {
    seen.push(`${name} ${request.service}.${request.method} ${request.kind} ${JSON.stringify(request.input)}`);
    return next(request);
  };
}

test("a call passes the interceptors of the client, of the service and of the method, in this order", async () => {
  const { client, broker } = await kit.started();
  broker.echo();
  const seen: string[] = [];
  const api = client.of(STOCKS, {
    interceptors: [noting(seen, "service")],
    methods: { quote: { interceptors: [noting(seen, "method")] } },
  });
  client.use(noting(seen, "client"));
  await expect(api.quote("ACME")).resolves.toBe("ACME");
  await api.buy("ACME");
  expect(seen).toEqual([
    'client stocks.quote unary "ACME"',
    'service stocks.quote unary "ACME"',
    'method stocks.quote unary "ACME"',
    'client stocks.buy unary "ACME"',
    'service stocks.buy unary "ACME"',
  ]);
});

test("a stream passes them", async () => {
  const { client, broker } = await kit.started();
  broker.answer([1, 2], null);
  const seen: string[] = [];
  const api = client.of(STOCKS, { interceptors: [noting(seen, "service")] });
  expect(await api.watch("ACME").toArray()).toEqual([1, 2]);
  expect(seen).toEqual(['service stocks.watch serverStream "ACME"']);
});

test("a function without a contract passes them, with its arguments as the input", async () => {
  const { client, broker } = await kit.started();
  broker.echo();
  const seen: string[] = [];
  const images = client.rpc("images", { interceptors: [noting(seen, "service")] });
  await expect(images.resize?.("a.jpg", 150)).resolves.toEqual(["a.jpg", 150]);
  expect(seen).toEqual(['service images.resize unary ["a.jpg",150]']);
});

test("an interceptor sees the definition of the method, and its own errors", async () => {
  const contract = service("stocks", { quote: unary({ errors: { UNKNOWN: schemaOfAnything() } }) });
  const { client, broker } = await kit.started();
  const detail = { name: "MethodError", message: "unknown", code: "UNKNOWN", detail: 1 };
  broker.onRequest = (request) => broker.fail(request, { ...LOST, code: "WORKER_FAILED", detail });
  let failure: unknown;
  client.use((next) => async (request) => {
    expect(request.definition).toBe(contract.quote);
    return next(request).catch((error: unknown) => {
      failure = error;
      throw error;
    });
  });
  await expect(client.of(contract).quote(1)).rejects.toBeInstanceOf(MethodError);
  expect(failure).toBeInstanceOf(MethodError);
});

describe("the option retry with a policy", () => {
  test("sends a call of an idempotent method again after a pause", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => {
      if (broker.requests.length < 3) broker.fail(request, LOST);
      else broker.final(request, "done");
    };
    const called = client.of(STOCKS, { retry: { attempts: 3, ...SOON } }).quote("ACME");
    await settled();
    expect(broker.requests).toHaveLength(1);
    kit.clock.advance(10);
    await settled();
    kit.clock.advance(20);
    await expect(called).resolves.toBe("done");
  });

  test("does not send any other method again that may have run", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, LOST);
    expect(await failureOf(client.of(STOCKS, { retry: SOON }).buy("ACME"))).toMatchObject({ code: "WORKER_LOST" });
    expect(broker.requests).toHaveLength(1);
  });

  test("of a call replaces that of all calls, and is inside of the interceptors", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, LOST);
    const seen: string[] = [];
    client.use(noting(seen, "client"));
    const failed = failureOf(
      client.of(STOCKS, { retry: { attempts: 5 } }).quote("ACME", { retry: { attempts: 2, ...SOON } }),
    );
    await settled();
    kit.clock.advance(10);
    await failed;
    expect(broker.requests).toHaveLength(2);
    expect(seen).toHaveLength(1);
  });

  test("bounds the retries of all calls with the same policy", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, LOST);
    const retry = { ...SOON, backoff: { initialMs: 0 }, budget: { maxTokens: 1 } };
    const api = client.of(STOCKS, { retry });
    for (let call = 0; call < 3; call += 1) {
      const failed = failureOf(api.quote("ACME"));
      await settled();
      kit.clock.advance(1);
      await failed;
    }
    expect(broker.requests).toHaveLength(4);
  });

  test("ends its pause when the call is canceled", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (request) => broker.fail(request, LOST);
    const controller = new AbortController();
    const failed = failureOf(client.of(STOCKS, { retry: {} }).quote("ACME", { signal: controller.signal }));
    await settled();
    controller.abort();
    await failed;
    expect(broker.requests).toHaveLength(1);
  });

  test("is rejected at once if it is invalid", async () => {
    const { client } = await kit.started();
    expect(() => client.of(STOCKS, { retry: { attempts: 0 } })).toThrow(UsageError);
  });
});

describe("a policy of a request without a contract", () => {
  const FIRST: Failure = { ...LOST, delivery: "dispatched" };
  const POLICY = { attempts: 2, backoff: { initialMs: 10, jitter: false } } as const;

  test.each([
    ["call()", (client: Client) => client.call("echo", "a", { retry: POLICY })],
    ["collect()", async (client: Client) => (await client.collect("echo", "a", { retry: POLICY }))[0]],
    ["a stream", async (client: Client) => (await client.requestStream("echo", "a", { retry: POLICY }).toArray())[0]],
    ["a scope", (client: Client) => client.scoped({}).call("echo", "a", { retry: POLICY })],
  ])("sends that of %s again, inside of the interceptors", async (_what, request) => {
    const { client, broker } = await kit.started();
    broker.onRequest = (received) => {
      if (broker.requests.length === 1) broker.fail(received, FIRST);
      else broker.final(received, "done");
    };
    const seen: string[] = [];
    client.use(noting(seen, "client"));
    const requested = request(client);
    await settled();
    kit.clock.advance(10);
    await expect(requested).resolves.toBe("done");
    expect(broker.requests).toHaveLength(2);
    expect(seen).toHaveLength(1);
  });

  test("never repeats one that may have run", async () => {
    const { client, broker } = await kit.started();
    broker.onRequest = (received) => broker.fail(received, LOST);
    expect(await failureOf(client.call("echo", "a", { retry: POLICY }))).toMatchObject({ code: "WORKER_LOST" });
    expect(broker.requests).toHaveLength(1);
  });

  test("is refused if it is invalid, and for open() and broadcast()", async () => {
    const { client, broker } = await kit.started();
    await expect(client.call("echo", "a", { retry: { attempts: 0 } })).rejects.toThrow(UsageError);
    const caller = { onPartial() {}, onFinal() {}, onFailure() {} };
    expect(() => client.open("echo", "a", caller, { retry: POLICY })).toThrow(UsageError);
    expect(() => client.broadcast("echo", "a", { retry: POLICY })).toThrow(UsageError);
    expect(broker.requests).toHaveLength(0);
  });
});

test("a scope keeps the definitions of methods", async () => {
  const { client } = await kit.started();
  expect(client.scoped({}).of(STOCKS).quote.definition).toBe(STOCKS.quote);
});

test("options of a method that the contract does not have are rejected", async () => {
  const { client } = await kit.started();
  const name: string = "sell";
  expect(() => client.of(STOCKS, { methods: { [name]: {} } })).toThrow(
    'the contract of service "stocks" has no method "sell"',
  );
  const misspelled: string = "quoet";
  expect(() => client.of(STOCKS, { methods: { [misspelled]: {} } })).toThrow('did you mean "quote"?');
});

test("a call keeps its promise for misuse: it rejects", async () => {
  const { client } = await kit.started();
  client.use((next) => next);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  await expect(client.of(service("any", { one: unary() })).one(cycle)).rejects.toThrow(UsageError);
});

function schemaOfAnything() {
  return { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as const;
}
