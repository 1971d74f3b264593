// What a handler gets with its request, and the requests that it makes itself.

import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter, once } from "node:events";
import { Client } from "@pigato/client";
import { whenEnded } from "@pigato/contract";
import { pino } from "pino";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Context, duplex, type Host, serverStream, service, unary } from "./index.ts";
import { start } from "./testing/start.ts";

const OUTER = service("outer", { run: unary<unknown, unknown>(), watch: serverStream<number, number>() });
const INNER = service("inner", { run: unary<unknown, unknown>(), watch: serverStream<number, number>() });

type Run = (input: unknown, ctx: Context) => unknown;

async function* count(to: number): AsyncGenerator<number> {
  for (let value = 1; value <= to; value += 1) yield value;
}

/** Serves `outer.run` and `inner.run`. */
function serve(outer: Run, inner: Run = () => null): (host: Host) => void {
  return (host) => {
    host.serve(OUTER, { run: (input, ctx) => outer(input, ctx), watch: (to) => count(to) });
    host.serve(INNER, { run: (input, ctx) => inner(input, ctx), watch: (to) => count(to) });
  };
}

describe("a handler gets", () => {
  test("the headers of its request, whose names are equal in any case", async () => {
    const { client } = await start(serve((_input, ctx) => [ctx.headers.get("X-Tenant"), ...ctx.headers]));
    const result = await client.of(OUTER).run(1, { headers: { "x-Tenant": "acme" } });
    expect(result).toEqual(["acme", ["x-tenant", "acme"]]);
  });

  test("the deadline of its caller, and the time that is left", async () => {
    const { client } = await start(
      serve((_input, ctx) => [ctx.deadline instanceof Date, ctx.timeLeft() > 0 && ctx.timeLeft() < 5_001]),
    );
    expect(await client.of(OUTER).run(1, { deadline: 5_000 })).toEqual([true, true]);
  });

  test("no deadline and no headers, if its caller set none", async () => {
    const { client } = await start(
      serve((_input, ctx) => [String(ctx.deadline), String(ctx.timeLeft()), ctx.headers.size, String(ctx.caller)]),
    );
    expect(await client.of(OUTER).run(1)).toEqual(["undefined", "Infinity", 0, "undefined"]);
  });

  test("the names of service and method, and the attempt", async () => {
    const { client } = await start(serve((_input, ctx) => [ctx.service, ctx.method, ctx.attempt]));
    expect(await client.of(OUTER).run(1)).toEqual(["outer", "run", 1]);
  });

  test("headers and a deadline as the interceptors left them", async () => {
    const { client } = await start((host) => {
      serve((_input, ctx) => [ctx.headers.get("tenant"), ctx.timeLeft() < 2_000])(host);
      host.use(
        (next) => (request) =>
          next(request.with({ headers: { tenant: "acme" }, deadline: new Date(Date.now() + 1_000) })),
      );
    });
    expect(await client.of(OUTER).run(1, { deadline: 60_000 })).toEqual(["acme", true]);
  });
});

describe("headers and trailers of a reply", () => {
  const WITH_METADATA = {
    run: (_input: unknown, ctx: Context) => {
      ctx.replyHeaders.set("Cost", "5");
      ctx.replyTrailers.set("Rows", "1");
      return "done";
    },
    watch: async function* (to: number, ctx: Context) {
      ctx.replyHeaders.set("cost", "6");
      yield* count(to);
      ctx.replyTrailers.set("rows", String(to));
    },
  };

  test.each([false, true])(
    "reach the interceptors of the caller (interceptors at the host: %s)",
    async (isIntercepted) => {
      const seen: unknown[] = [];
      const { client } = await start((host) => {
        host.serve(OUTER, WITH_METADATA);
        if (!isIntercepted) return;
        host.use((next) => async (request) => {
          const reply = await next(request);
          reply.headers.set("via", "host");
          return reply;
        });
      });
      client.use((next) => async (request) => {
        const reply = await next(request);
        seen.push(reply.headers.toJSON());
        return whenEnded(reply, () => seen.push(reply.trailers.toJSON()));
      });
      const via = isIntercepted ? { via: "host" } : {};
      expect(await client.of(OUTER).run(1)).toBe("done");
      expect(await client.of(OUTER).watch(2).toArray()).toEqual([1, 2]);
      expect(await client.call("outer", 1, { method: "run" })).toBe("done");
      const run = [{ cost: "5", ...via }, { rows: "1" }];
      expect(seen).toEqual([...run, { cost: "6", ...via }, { rows: "2" }, ...run]);
    },
  );

  test("are bounded", async () => {
    const { client } = await start(serve((_input, ctx) => ctx.replyHeaders.set("big", "x".repeat(9_000)).size));
    await expect(client.of(OUTER).run(1)).rejects.toThrow('the header "big" does not fit');
  });
});

describe("ctx.log", () => {
  test("adds the request to the records of a logger without children", async () => {
    const records: object[] = [];
    const logger = { debug() {}, info: (fields: object) => records.push(fields), warn() {}, error() {} };
    const { client } = await start(
      serve((_input, ctx) => ctx.log.info({ a: 1 }, "text")),
      { logger },
    );
    await client.of(OUTER).run(1);
    expect(records).toContainEqual({ a: 1, service: "outer", method: "run", requestId: expect.stringContaining("-") });
  });

  test("takes a text alone, fields alone and an error, as pino does", async () => {
    const records: unknown[][] = [];
    const logger = { debug() {}, info: (...record: unknown[]) => records.push(record), warn() {}, error() {} };
    const failure = new Error("gone");
    const { client } = await start(
      serve((_input, ctx) => {
        ctx.log.info("text");
        ctx.log.info({ a: 1 });
        ctx.log.info(failure);
        ctx.log.info(failure, "why");
        return null;
      }),
      { logger },
    );
    await client.of(OUTER).run(1);
    const request = { service: "outer", method: "run", requestId: expect.any(String) };
    expect(records.slice(-4)).toEqual([
      [request, "text"],
      [{ ...request, a: 1 }, ""],
      [{ ...request, err: failure }, "gone"],
      [{ ...request, err: failure }, "why"],
    ]);
  });

  test.each([undefined, false] as const)("takes records without a logger (%s)", async (logger) => {
    const { client } = await start(
      serve((_input, ctx) => {
        ctx.log.debug("text");
        ctx.log.warn({ a: 1 }, "text");
        return ctx.log.error(new Error("gone"));
      }),
      { logger },
    );
    expect(await client.of(OUTER).run(1)).toBe(null);
  });

  test("is a child of pino, which takes the same", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "info" }, { write: (line: string) => lines.push(line) });
    const { client } = await start(
      serve((_input, ctx) => {
        ctx.log.info("text");
        ctx.log.info({ a: 1 }, "both");
        return null;
      }),
      { logger },
    );
    await client.of(OUTER).run(1);
    const request = { service: "outer", method: "run", requestId: expect.any(String) };
    const records = lines.map((line): unknown => JSON.parse(line));
    expect(records).toContainEqual(expect.objectContaining({ ...request, msg: "text" }));
    expect(records).toContainEqual(expect.objectContaining({ ...request, msg: "both", a: 1 }));
  });

  test("is a child of a logger that has children", async () => {
    const children: object[] = [];
    const silent = { debug() {}, info() {}, warn() {}, error() {} };
    const child = { ...silent, isChild: true };
    const logger = {
      ...silent,
      child: (bindings: object) => {
        children.push(bindings);
        return child;
      },
    };
    const { client } = await start(
      serve((_input, ctx) => ctx.log === child && ctx.log === child),
      { logger },
    );
    expect(await client.of(OUTER).run(1)).toBe(true);
    expect(children).toEqual([{ service: "outer", method: "run", requestId: expect.any(String) }]);
  });
});

describe("requests of ctx.client", () => {
  test("inherit the deadline and trace headers, and no other header", async () => {
    const { client } = await start(
      serve(
        (_input, ctx) => ctx.client.of(INNER).run(1, { headers: { own: "1" } }),
        (_input, ctx) => [ctx.headers.toJSON(), ctx.timeLeft() < 5_001],
      ),
    );
    const headers = { TraceParent: "00-1", tracestate: "a=1", authorization: "secret" };
    expect(await client.of(OUTER).run(1, { headers, deadline: 5_000 })).toEqual([
      { own: "1", traceparent: "00-1", tracestate: "a=1" },
      true,
    ]);
  });

  test("inherit the headers that the host names", async () => {
    const { client } = await start(
      serve(
        (_input, ctx) => ctx.client.of(INNER).run(1),
        (_input, ctx) => ctx.headers.toJSON(),
      ),
      { inheritHeaders: ["Tenant"] },
    );
    expect(await client.of(OUTER).run(1, { headers: { tenant: "acme", traceparent: "00-1" } })).toEqual({
      tenant: "acme",
    });
  });

  test("keep an earlier deadline of their own", async () => {
    const { client } = await start(
      serve(
        (_input, ctx) => ctx.client.of(INNER).run(1, { deadline: 1_000 }),
        (_input, ctx) => ctx.timeLeft() < 1_001,
      ),
    );
    expect(await client.of(OUTER).run(1, { deadline: 60_000 })).toBe(true);
  });

  test("are canceled with the request of their handler", async () => {
    let onInner = (): void => {};
    const started = new Promise<void>((resolve) => {
      onInner = resolve;
    });
    let canceled: Promise<unknown> | undefined;
    const { client } = await start(
      serve(
        (_input, ctx) => ctx.client.of(INNER).run(1),
        (_input, ctx) => {
          canceled = new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
          onInner();
          return new Promise(() => {});
        },
      ),
    );
    const controller = new AbortController();
    const called = client.of(OUTER).run(1, { signal: controller.signal });
    await started;
    controller.abort();
    await expect(called).rejects.toMatchObject({ code: "CANCELED" });
    await canceled;
  });

  test("fail their caller with their own code and delivery class", async () => {
    const { client } = await start(serve((_input, ctx) => ctx.client.call("missing", 1, { failFast: true })));
    await expect(client.of(OUTER).run(1)).rejects.toMatchObject({ code: "UNAVAILABLE", delivery: "not-sent" });
  });

  test("may be streams, safe calls, and calls without a contract", async () => {
    const { client } = await start((host) => {
      serve(async (_input, ctx) => {
        const api = ctx.client.of(INNER);
        const [error, output] = await api.run.safe(1);
        const length = ctx.client.rpc<{ length(text: string): number }>("text").length("abc");
        return [
          error,
          output,
          await api.watch(3).toArray(),
          await length,
          await ctx.client.collect("inner", 2, { method: "watch" }),
        ];
      })(host);
      host.register("text", { length: (text: string) => text.length });
    });
    expect(await client.of(OUTER).run(1)).toEqual([null, null, [1, 2, 3], 3, [1, 2]]);
  });

  test("use the client of the host's options, which the host does not stop", async () => {
    const { address, client, host } = await start(serve(() => 1));
    const own = new Client(address, { stopTimeoutMs: 0 });
    onTestFinished(() => own.stop());
    await own.start();
    const second = await start(
      serve((_input, ctx) => ctx.client.call("outer", 1, { method: "run" })),
      { client: own },
    );
    expect(await second.client.of(OUTER).run(1)).toBe(1);
    await second.host.stop();
    expect(await own.call("outer", 1, { method: "run" })).toBe(1);
    await host.stop();
    expect(client).toBeDefined();
  });
});

test("an AsyncLocalStorage keeps its store in a handler, its nested requests and their streams", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { client } = await start(
    serve((_input, ctx) =>
      storage.run("handler", async () => {
        await ctx.client.of(INNER).run(1);
        seen.push(storage.getStore());
        const stream = ctx.client.of(INNER).watch(2);
        await new Promise((resolve) => {
          stream.on("data", () => seen.push(storage.getStore()));
          stream.on("end", resolve);
        });
        return null;
      }),
    ),
  );
  await client.of(OUTER).run(1);
  expect(seen).toEqual(["handler", "handler", "handler"]);
});

describe("the store of an AsyncLocalStorage", () => {
  const storage = new AsyncLocalStorage<string>();

  test("that a handler enters does not reach the handlers of other requests", async () => {
    const { client } = await start(
      serve((input) => {
        const store = storage.getStore();
        storage.enterWith(String(input));
        return store ?? "none";
      }),
    );
    const api = client.of(OUTER);
    expect([await api.run("first"), await api.run("second")]).toEqual(["none", "none"]);
    expect(await Promise.all([api.run("third"), api.run("fourth")])).toEqual(["none", "none"]);
  });

  test.each([false, true])("stays the same in the chunks of a handler (interceptors: %s)", async (isIntercepted) => {
    const seen: unknown[] = [];
    const { client } = await start((host) => {
      host.serve(OUTER, {
        run: () => null,
        watch: async function* (to) {
          if (!isIntercepted) storage.enterWith("handler");
          for await (const value of count(to)) {
            seen.push(storage.getStore());
            yield value;
          }
          seen.push(storage.getStore());
        },
      });
      if (isIntercepted) host.use((next) => (request) => storage.run("handler", () => next(request)));
    });
    expect(await client.of(OUTER).watch(3).toArray()).toEqual([1, 2, 3]);
    expect(seen).toEqual(["handler", "handler", "handler", "handler"]);
  });

  test.each([false, true])(
    "is that of the handler when its signal aborts (interceptors: %s)",
    async (isIntercepted) => {
      const events = new EventEmitter();
      const wait = async (ctx: Context): Promise<void> => {
        const aborted = new Promise((resolve) => {
          ctx.signal.addEventListener("abort", () => resolve(storage.getStore()));
        });
        events.emit("waits");
        events.emit("aborted", await aborted);
      };
      const { client } = await start((host) => {
        serve((_input, ctx) => (isIntercepted ? wait(ctx) : storage.run("handler", () => wait(ctx))))(host);
        if (isIntercepted) host.use((next) => (request) => storage.run("handler", () => next(request)));
      });
      const [waits, aborted] = [once(events, "waits"), once(events, "aborted")];
      const canceling = new AbortController();
      const called = client.of(OUTER).run.safe(1, { signal: canceling.signal });
      await waits;
      canceling.abort();
      expect(await aborted).toEqual(["handler"]);
      await called;
    },
  );

  test("is that of the handler while it reads its input", async () => {
    const contract = service("input", { echo: duplex<number, unknown>() });
    const { client } = await start((host) => {
      host.serve(contract, {
        echo: async function* (numbers) {
          for await (const number of numbers) yield [number, storage.getStore()];
        },
      });
      host.use((next) => (request) => storage.run("handler", () => next(request)));
    });
    expect(await client.of(contract).echo([1, 2]).toArray()).toEqual([
      [1, "handler"],
      [2, "handler"],
    ]);
  });
});

test("headers with control characters fail the request", async () => {
  const { client } = await start(serve((_input, ctx) => ctx.headers.size));
  await expect(client.of(OUTER).run(1, { headers: { trace: "a\nb" } })).rejects.toThrow("control characters");
});
