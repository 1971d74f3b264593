import { EventEmitter, on } from "node:events";
import { Readable } from "node:stream";
import { RequestError } from "@pigato/client";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  bytes,
  type Context,
  clientStream,
  duplex,
  type Handlers,
  Host,
  isError,
  type MethodError,
  serverStream,
  service,
  unary,
} from "./index.ts";
import { start } from "./testing/start.ts";

const QUOTE = z.object({ ticker: z.string(), price: z.number() });
const STOCKS = service("stocks@1.2.0", {
  quote: unary({
    input: z.object({ ticker: z.string() }),
    output: QUOTE,
    errors: { UNKNOWN_TICKER: z.object({ ticker: z.string() }) },
    idempotent: true,
  }),
  watch: serverStream({ input: v.object({ count: v.number() }), chunk: type({ index: "number" }) }),
  parse: unary({ input: z.string().transform(Number), output: z.number() }),
  plain: unary<{ readonly by: number }, number>(),
});

const PRICES = new Map([["ACME", 7]]);

function serveStocks(host: Host): void {
  host.serve(STOCKS, {
    quote: async ({ ticker }, ctx) => {
      const price = PRICES.get(ticker) ?? ctx.fail("UNKNOWN_TICKER", { ticker });
      return { ticker, price };
    },
    watch: async function* ({ count }) {
      for (let index = 0; index < count; index++) yield { index };
    },
    parse: (value) => value * 2,
    plain: ({ by }) => by + 1,
  });
}

describe("a contract that a host serves", () => {
  test("has typed methods that reply with what their handlers return", async () => {
    const { client } = await start(serveStocks);
    const api = client.of(STOCKS);
    const quote = await api.quote({ ticker: "ACME" });
    expectTypeOf(quote).toEqualTypeOf<{ ticker: string; price: number }>();
    expect(quote).toEqual({ ticker: "ACME", price: 7 });
    expect(await api.parse("21")).toBe(42);
    const plain = await api.plain({ by: 1 });
    expectTypeOf(plain).toEqualTypeOf<number>();
    expect(plain).toBe(2);
  });

  test("streams the chunks of a generator", async () => {
    const { client } = await start(serveStocks);
    const chunks: { index: number }[] = [];
    for await (const chunk of client.of(STOCKS).watch({ count: 3 })) {
      expectTypeOf(chunk).toEqualTypeOf<{ index: number }>();
      chunks.push(chunk);
    }
    expect(chunks).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }]);
  });

  test("reports the errors of the contract with their codes and data", async () => {
    const { client, warnings } = await start(serveStocks);
    const api = client.of(STOCKS);
    const error: unknown = await api.quote({ ticker: "NOPE" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: "MethodError",
      code: "UNKNOWN_TICKER",
      detail: { ticker: "NOPE" },
      delivery: "maybe-executed",
      service: "stocks@1.2.0",
    });
    expect(isError(error, STOCKS.quote, "UNKNOWN_TICKER") && error.detail.ticker).toBe("NOPE");
    expect(isError(error, api.quote, "UNKNOWN_TICKER") && error.detail.ticker).toBe("NOPE");
    const [failure, output] = await api.quote.safe({ ticker: "NOPE" });
    expect(output).toBeUndefined();
    expect(failure?.code).toBe("UNKNOWN_TICKER");
    if (failure?.code === "UNKNOWN_TICKER") {
      expectTypeOf(failure).toEqualTypeOf<MethodError<"UNKNOWN_TICKER", { ticker: string }>>();
    }
    expect(await api.quote.safe({ ticker: "ACME" })).toEqual([null, { ticker: "ACME", price: 7 }]);
    expect(warnings).toEqual([]);
  });

  test("refuses input that does not match its schema, with the place of each issue", async () => {
    const { client } = await start(serveStocks);
    const bad: { ticker: string } = JSON.parse('{"ticker":5}');
    const error: unknown = await client
      .of(STOCKS)
      .quote(bad)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({
      code: "INVALID_ARGUMENT",
      delivery: "dispatched",
      isRetrySafe: true,
      detail: { issues: [{ path: ["ticker"], message: expect.any(String) }] },
      message: expect.stringMatching(/^the input of stocks@1\.2\.0\.quote is invalid: ticker: /),
    });
    await expect(client.of(STOCKS).watch(JSON.parse("{}")).toArray()).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      detail: { issues: [{ path: ["count"] }] },
    });
  });
});

describe("handlers", () => {
  const PLAIN = service("plain", { run: unary<unknown, unknown>(), chunks: serverStream<unknown, unknown>() });

  async function failureOf(run: () => unknown, options = {}): Promise<{ error: unknown; warnings: readonly string[] }> {
    const handlers = { run, chunks: async function* () {} };
    const { client, warnings } = await start((host) => host.serve(PLAIN, handlers), options);
    const error: unknown = await client
      .of(PLAIN)
      .run()
      .catch((thrown: unknown) => thrown);
    return { error, warnings };
  }

  test("fail their request with what they throw, and the host warns of it", async () => {
    const thrown = Object.assign(new RangeError("too far"), { code: "E_FAR", limit: 5 });
    const { error, warnings } = await failureOf(async () => {
      throw thrown;
    });
    expect(error).toMatchObject({
      name: "RequestError",
      code: "WORKER_FAILED",
      cause: { name: "RangeError", message: "too far", code: "E_FAR", limit: 5, stack: "RangeError: too far" },
    });
    expect(warnings).toEqual(["the handler of plain.run failed: too far"]);
  });

  test("show their stack only with exposeStacks", async () => {
    const run = (): never => {
      throw new Error("no");
    };
    const { error } = await failureOf(run, { exposeStacks: true });
    expect(error).toMatchObject({ cause: { stack: expect.stringContaining("host.test.ts") } });
  });

  test.each([
    ["text", () => Promise.reject("text"), { code: "WORKER_FAILED", detail: "text" }],
    ["nothing", () => Promise.reject(undefined), { code: "WORKER_FAILED", detail: null }],
    ["a value that JSON cannot carry", () => 1n, { code: "WORKER_FAILED", cause: { name: "UsageError" } }],
    ["chunks instead of a value", async function* () {}, { cause: { message: /must return one value/ } }],
  ])("that fail with %s fail their request", async (_what, run, expected) => {
    const { error } = await failureOf(run);
    expect(error).toMatchObject(
      "cause" in expected && "message" in Object(expected.cause)
        ? { cause: { message: expect.stringMatching(/must return one value/) } }
        : expected,
    );
  });

  test("reply with null if they return nothing", async () => {
    const { client } = await start((host) =>
      host.serve(PLAIN, { run: () => undefined, chunks: async function* () {} }),
    );
    expect(await client.of(PLAIN).run()).toBeNull();
    expect(await client.of(PLAIN).chunks().toArray()).toEqual([]);
  });

  test("keep the failure of a nested request across hops", async () => {
    const inner = service("inner", { run: unary<unknown, unknown>() });
    const { client } = await start((host) => {
      host.serve(inner, { run: () => client.call("nothing", 1, { failFast: true }) });
      host.serve(PLAIN, { run: () => client.of(inner).run(), chunks: async function* () {} });
    });
    await expect(client.of(PLAIN).run()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      delivery: "not-sent",
      isRetrySafe: true,
      cause: { code: "UNAVAILABLE", service: "inner", cause: { service: "nothing" } },
    });
  });

  test("that let the error of another contract pass fail with their own", async () => {
    const { client } = await start((host) => {
      serveStocks(host);
      host.serve(PLAIN, { run: () => client.of(STOCKS).quote({ ticker: "NOPE" }), chunks: async function* () {} });
    });
    await expect(client.of(PLAIN).run()).rejects.toMatchObject({
      code: "WORKER_FAILED",
      cause: { name: "MethodError", code: "UNKNOWN_TICKER", detail: { ticker: "NOPE" } },
    });
  });

  test("get a context with the service, the method and a signal", async () => {
    let context: Context | undefined;
    const aborted = new EventEmitter();
    const { client } = await start((host) =>
      host.serve(service("ctx@1.0.0", { wait: unary<null, null>() }), {
        wait: async (_input, ctx) => {
          context = ctx;
          ctx.signal.addEventListener("abort", () => aborted.emit("abort"));
          aborted.emit("waiting");
          await new Promise(() => {});
          return null;
        },
      }),
    );
    const controller = new AbortController();
    const waiting = on(aborted, "waiting");
    const calling = client.call("ctx@^1", null, { method: "wait", signal: controller.signal });
    await waiting.next();
    expect(context).toMatchObject({ service: "ctx@^1", method: "wait" });
    const abort = on(aborted, "abort");
    controller.abort();
    await expect(calling).rejects.toMatchObject({ code: "CANCELED" });
    await abort.next();
  });

  test("that stream are closed when their caller leaves", async () => {
    const events = new EventEmitter();
    const { client } = await start((host) =>
      host.serve(PLAIN, {
        run: () => null,
        chunks: async function* () {
          try {
            for (let index = 0; ; index++) yield index;
          } finally {
            events.emit("closed");
          }
        },
      }),
    );
    const closed = on(events, "closed");
    for await (const chunk of client.of(PLAIN).chunks()) if (chunk === 5) break;
    await closed.next();
  });

  test("whose output does not match its schema fail in development, and are trusted in production", async () => {
    const bad = JSON.parse('{"ticker":"ACME"}');
    const only = service("only", { quote: unary({ output: QUOTE }), quotes: serverStream({ chunk: QUOTE }) });
    const serve = (host: Host) =>
      host.serve(only, {
        quote: () => bad,
        quotes: async function* () {
          yield bad;
        },
      });
    const checked = await start(serve, { validateOutput: true });
    const failure = { code: "WORKER_FAILED", message: /the output of only\.quotes? is invalid: price/ };
    await expect(checked.client.of(only).quote()).rejects.toThrow(failure.message);
    await expect(checked.client.of(only).quotes().toArray()).rejects.toThrow(failure.message);
    const trusted = await start(serve, { validateOutput: false });
    expect(await trusted.client.of(only).quote()).toEqual({ ticker: "ACME" });
  });

  test("which return a function fail", async () => {
    const only = service("only", { quote: unary() });
    const { client } = await start((host) => host.serve(only, { quote: () => () => 1 }));
    const failure = { code: "WORKER_FAILED", message: "the handler of only.quote must return data, not a function" };
    await expect(client.of(only).quote()).rejects.toMatchObject(failure);
  });

  test("whose error does not match its schema fail in development", async () => {
    const only = service("only", { quote: unary({ errors: { NO: z.object({ at: z.number() }) } }) });
    const quote = (_input: unknown, ctx: Context<typeof only.quote>) => ctx.fail("NO", JSON.parse('{"at":"x"}'));
    const checked = await start((host) => host.serve(only, { quote }), { validateOutput: true });
    await expect(checked.client.of(only).quote()).rejects.toMatchObject({
      code: "WORKER_FAILED",
      message: expect.stringMatching(/^the data of the error NO of only\.quote is invalid: at: .*expected number/),
    });
    const trusted = await start((host) => host.serve(only, { quote }), { validateOutput: false });
    await expect(trusted.client.of(only).quote()).rejects.toMatchObject({ code: "NO", detail: { at: "x" } });
  });

  test("get input as it was sent if the host does not validate", async () => {
    const { client } = await start(serveStocks, { validateInput: false, validateOutput: false });
    expect(await client.call("stocks@1.2.0", "21", { method: "parse" })).toBe(42);
    await expect(client.call("stocks@1.2.0", { tick: 1 }, { method: "quote" })).rejects.toMatchObject({
      cause: { code: "UNKNOWN_TICKER" },
    });
  });
});

test("the options of a call must be an object", async () => {
  const { client } = await start(serveStocks);
  const { quote } = client.of(STOCKS);
  const message = "the options of stocks@1.2.0.quote must be an object, not 3";
  await expect(Reflect.apply(quote, undefined, [{ ticker: "ACME" }, 3])).rejects.toThrow(message);
});

test("the stack of a failed call shows the functions that await it", async () => {
  const { client } = await start(serveStocks);
  const api = client.of(STOCKS);
  async function caller(options?: { readonly timeout: number }): Promise<void> {
    await api.quote({ ticker: "NOPE" }, options);
  }
  for (const options of [undefined, { timeout: 5_000 }]) {
    const error: unknown = await caller(options).catch((thrown: unknown) => thrown);
    expect(error instanceof Error && error.stack).toMatch(/at (async )?caller \(.*host\.test\.ts/);
  }
});

describe("a client that validates", () => {
  test("sends no input that does not match, and converts the output", async () => {
    const dates = service("dates", {
      next: unary({ input: z.coerce.date(), output: z.coerce.date() }),
      all: serverStream({ chunk: z.coerce.date() }),
    });
    const { client } = await start((host) =>
      host.serve(dates, {
        next: (day) => new Date(day.getTime() + 1),
        all: async function* () {
          yield new Date(5);
        },
      }),
    );
    const api = client.of(dates, { validate: true });
    const next = await api.next(new Date(1));
    expectTypeOf(next).toEqualTypeOf<Date>();
    expect(next).toEqual(new Date(2));
    expect(await api.all().toArray()).toEqual([new Date(5)]);
    await expect(api.next("soon")).rejects.toMatchObject({ code: "INVALID_ARGUMENT", delivery: "not-sent" });
    const [error] = await api.next.safe("soon");
    expect(error).toMatchObject({ detail: { issues: [{ path: [] }] } });
  });
});

describe("a method that takes chunks", () => {
  const TABLE = service("table", {
    load: clientStream({ chunk: z.coerce.number<string>(), output: z.object({ rows: z.number() }) }),
    trade: duplex<number, number>(),
  });

  const serveTable = (host: Host): Host =>
    host.serve(TABLE, {
      load: async (chunks) => {
        let rows = 0;
        for await (const chunk of chunks) rows += chunk;
        return { rows };
      },
      trade: async function* (chunks) {
        for await (const chunk of chunks) yield chunk * 2;
      },
    });

  test("takes them as a stream, and replies with a value or with chunks", async () => {
    const { client } = await start(serveTable);
    const table = client.of(TABLE);
    const loaded = await table.load(["1", "2", "3"]);
    expectTypeOf(loaded).toEqualTypeOf<{ rows: number }>();
    expect(loaded).toEqual({ rows: 6 });
    expect(await table.load.safe(["1"])).toEqual([null, { rows: 1 }]);
    const traded: number[] = [];
    async function* orders(): AsyncGenerator<number> {
      for (let order = 1; order <= 100; order++) yield order;
    }
    for await (const fill of table.trade(orders())) {
      expectTypeOf(fill).toEqualTypeOf<number>();
      traded.push(fill);
    }
    expect(traded).toHaveLength(100);
    expect(traded.at(-1)).toBe(200);
  });

  test("fails at both ends for a chunk that does not match", async () => {
    const { client } = await start(serveTable);
    await expect(client.of(TABLE).load(["1", "x", "3"])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      detail: { issues: [{ path: [] }] },
    });
    const [error] = await client.of(TABLE, { validate: true }).load.safe(JSON.parse('["1",{}]'));
    expect(error).toBeInstanceOf(Error);
    await expect(client.of(TABLE).load(JSON.parse("5"))).rejects.toThrow("table.load takes chunks");
  });

  test("passes the interceptors of both sides", async () => {
    const seen: unknown[] = [];
    const { client, host } = await start(serveTable);
    for (const side of [client, host]) {
      side.use((next) => async (request) => {
        seen.push([request.side, request.kind]);
        const reply = await next(request);
        if (reply.kind === "clientStream") seen.push(reply.output);
        return reply;
      });
    }
    expect(await client.of(TABLE).load(["1", "2"])).toEqual({ rows: 3 });
    expect(seen).toEqual([["client", "clientStream"], ["host", "clientStream"], { rows: 3 }, { rows: 3 }]);
    expect(await client.of(TABLE).trade([1, 2]).toArray()).toEqual([2, 4]);
  });

  test("carries bytes as they are", async () => {
    const files = service("files", { size: clientStream({ chunk: bytes(), output: z.number() }) });
    const { client } = await start((host) =>
      host.serve(files, {
        size: async (chunks) => {
          let size = 0;
          for await (const chunk of chunks) size += chunk.byteLength;
          return size;
        },
      }),
    );
    const api = client.of(files);
    expect(await api.size([new Uint8Array(5), new Uint8Array(7)])).toBe(12);
    expect(await api.size(new Blob(["hello"]))).toBe(5);
    expect(await api.size(Readable.from([Buffer.from("abc")], { objectMode: false }))).toBe(3);
  });

  test("takes them as an array from a client that cannot stream input", async () => {
    const { client } = await start(serveTable);
    expect(await client.call("table", ["1", "2"], { method: "load" })).toEqual({ rows: 3 });
    expect(await client.collect("table", { method: "trade", args: [[1, 2]] })).toEqual([2, 4]);
    await expect(client.call("table", ["1", "x"], { method: "load" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      delivery: "maybe-executed",
    });
    await expect(client.call("table", 5, { method: "load" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      delivery: "dispatched",
      message: "table.load takes streamed input, and the request has none",
    });
  });
});

describe("a host", () => {
  test("needs a handler for each method, and takes no other", () => {
    const host = new Host("tcp://127.0.0.1:1");
    expect(() => host.serve(STOCKS, JSON.parse("{}"))).toThrow("stocks@1.2.0.quote has no handler");
    expect(() => host.serve(service("stocks@^1.2.0", {}), {})).toThrow('a host cannot serve "stocks@^1.2.0"');
    expect(() => host.register("stocks@^1.2.0", { quote: () => 7 })).toThrow("a range of versions");
    const handlers = { ...JSON.parse("{}"), extra: () => 1, run: () => 1 };
    expect(() => host.serve(service("run", { run: unary() }), handlers)).toThrow('has no method "extra"');
    expect(() => host.serve(service("run", { run: unary() }), JSON.parse("null"))).toThrow("must be an object");
  });

  test("names the handler that is misspelled", () => {
    const host = new Host("tcp://127.0.0.1:1");
    const contract = service("stocks", { quote: unary(), watch: serverStream() });
    const serve = (handlers: object) => () => host.serve(contract, { ...JSON.parse("{}"), ...handlers });
    const [quote, watch] = [() => 1, async function* () {}];
    expect(serve({ qoute: quote, watch })).toThrow('stocks.quote has no handler: rename "qoute" to "quote"');
    expect(serve({ watch })).toThrow('stocks.quote has no handler: pass a function "quote"');
    expect(serve({ quote, watch, wacth: watch })).toThrow(
      'the contract of service "stocks" has no method "wacth": did you mean "watch"?',
    );
    expect(serve({ quote, watch, other: watch })).toThrow('has no method "other"');
    class Stocks {
      qoute(): number {
        return 1;
      }
      async *watch(): AsyncGenerator<number> {}
    }
    const instance: Handlers<typeof contract> = Object.assign(new Stocks(), JSON.parse("{}"));
    expect(() => host.serve(contract, instance)).toThrow('stocks.quote has no handler: rename "qoute" to "quote"');
  });

  test("takes an instance of a class, which may have other functions", async () => {
    class Doubler {
      readonly #by: (value: number) => number;
      readonly log: (text: string) => void = () => {};
      constructor(by: (value: number) => number) {
        this.#by = by;
      }
      run(value: number): number {
        this.log("run");
        return this.#by(value);
      }
    }
    const contract = service("doubler", { run: unary<number, number>() });
    const { client } = await start((host) => host.serve(contract, new Doubler((value) => value * 2)));
    expect(await client.of(contract).run(2)).toBe(4);
  });

  test("has no two methods of one name, and none that it does not know", async () => {
    const host = new Host("tcp://127.0.0.1:1").register("x", () => 1, "run");
    expect(() => host.register("x", { run: () => 2 })).toThrow("x.run is already served");
    expect(() => new Host("tcp://127.0.0.1:1", JSON.parse('{"exposeStack":true}'))).toThrow(
      'a host has no option "exposeStack": did you mean "exposeStacks"?',
    );
    expect(() => new Host("here")).toThrow("the address of the broker");
    await expect(async () => new Host("tcp://127.0.0.1:1").start()).rejects.toThrow("a host without services");
  });

  test("starts and stops once, and again", async () => {
    const { host, client } = await start((started) => started.register("x", () => 1, "run"));
    const events: string[] = [];
    for (const event of ["start", "stop", "connect", "disconnect"] as const) host.on(event, () => events.push(event));
    await Promise.all([host.stop(), host.stop()]);
    await host.start();
    expect(await client.rpc<{ run(): number }>("x").run()).toBe(1);
    await host[Symbol.asyncDispose]();
    expect(events.filter((event) => event === "start" || event === "stop")).toEqual(["stop", "start", "stop"]);
  });

  test("that is stopped while it starts rejects its start", async () => {
    const host = new Host("tcp://127.0.0.1:1", { logger: false }).register("x", () => 1, "run");
    const starting = host.start();
    await host.stop();
    await expect(starting).rejects.toMatchObject({ code: "CLOSED" });
  });
});
