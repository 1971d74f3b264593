// Interceptors of a host: their order, what they see and change, and what their faults do.

import { AsyncLocalStorage } from "node:async_hooks";
import { whenEnded } from "@pigato/contract";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { clientStream, duplex, type Interceptor, serverStream, service, unary } from "./index.ts";
import { start } from "./testing/start.ts";

const MATH = service("math", {
  double: unary({ input: z.number(), output: z.number() }),
  half: unary({ input: z.number(), output: z.number() }),
  count: serverStream({ input: z.number(), chunk: z.number() }),
});

/** How often generators were closed. */
let closed = 0;

const HANDLERS = {
  double: (value: number) => value * 2,
  half: (value: number) => value / 2,
  count: async function* (to: number) {
    try {
      for (let value = 1; value <= to; value += 1) yield value;
    } finally {
      closed += 1;
    }
  },
};

function noting(seen: string[], name: string): Interceptor {
  return (next) => async (request) => {
    seen.push(`${name} ${request.side} ${request.service}.${request.method} ${request.kind}`);
    return next(request);
  };
}

test("a request passes the interceptors of the host, of the service and of the method, in this order", async () => {
  const seen: string[] = [];
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS, {
      interceptors: [noting(seen, "service")],
      methods: { double: { interceptors: [noting(seen, "method")] } },
    });
    host.use(noting(seen, "host"));
  });
  const api = client.of(MATH);
  expect(await api.double(2)).toBe(4);
  expect(await api.half(2)).toBe(1);
  expect(seen).toEqual([
    "host host math.double unary",
    "service host math.double unary",
    "method host math.double unary",
    "host host math.half unary",
    "service host math.half unary",
  ]);
});

test("an interceptor changes input and output of values and of chunks", async () => {
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS);
    host.use((next) => async (request) => {
      if (request.kind !== "unary" && request.kind !== "serverStream") return next(request);
      const reply = await next(request.with({ input: Number(request.input) + 1 }));
      if (reply.kind === "unary") return { ...reply, output: Number(reply.output) + 100 };
      if (reply.kind !== "serverStream") return reply;
      const { output } = reply;
      return {
        ...reply,
        output: (async function* () {
          for await (const chunk of output) yield Number(chunk) * 10;
        })(),
      };
    });
  });
  const api = client.of(MATH);
  expect(await api.double(2)).toBe(106);
  expect(await api.count(2).toArray()).toEqual([10, 20, 30]);
});

test("the input is validated as the last interceptor leaves it, and the failure passes the interceptors", async () => {
  let code: unknown;
  const { client, warnings } = await start((host) => {
    host.serve(MATH, HANDLERS);
    host.use(
      (next) => (request) =>
        next(request).catch((error: unknown) => {
          code = Reflect.get(Object(error), "code");
          throw error;
        }),
    );
    host.use((next) => async (request) => {
      return request.kind === "unary" ? next(request.with({ input: "text" })) : next(request);
    });
  });
  await expect(client.of(MATH).double(2)).rejects.toMatchObject({
    code: "INVALID_ARGUMENT",
    delivery: "dispatched",
    detail: { issues: [expect.anything()] },
  });
  expect(code).toBe("INVALID_ARGUMENT");
  expect(warnings).toEqual([]);
});

test("an interceptor answers without calling the handler", async () => {
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS, { interceptors: [() => async (request) => request.respond(7)] });
  });
  expect(await client.of(MATH).double(1)).toBe(7);
});

test("an interceptor that does not read the input does not decode it", async () => {
  const { client } = await start((host) => {
    const answer: Interceptor = () => async (request) => request.respond(7);
    host.serve(MATH, HANDLERS, { methods: { double: { interceptors: [answer] } } });
    host.use((next) => next);
  });
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  const parsed = (text: string): boolean => parse.mock.calls.some(([argument]) => argument === text);
  expect(await client.of(MATH).double(123_456)).toBe(7);
  expect(parsed("123456")).toBe(false);
  expect(await client.of(MATH).half(246_802)).toBe(123_401);
  expect(parsed("246802")).toBe(true);
});

test("an interceptor denies a request, with a code of its own", async () => {
  const { client, warnings } = await start((host) => {
    host.serve(MATH, HANDLERS);
    host.use(() => async () => {
      throw Object.assign(new Error("no token"), { code: "UNAUTHENTICATED" });
    });
  });
  await expect(client.of(MATH).double(1)).rejects.toMatchObject({
    code: "WORKER_FAILED",
    message: expect.stringContaining("no token"),
    cause: expect.objectContaining({ code: "UNAUTHENTICATED" }),
  });
  expect(warnings).toEqual([expect.stringContaining("no token")]);
});

test("an interceptor calls the handler again", async () => {
  let runs = 0;
  const { client } = await start((host) => {
    host.serve(MATH, {
      ...HANDLERS,
      half: (value) => {
        runs += 1;
        if (runs === 1) throw new Error("first");
        return value / 2;
      },
    });
    host.use((next) => (request) => next(request).catch(() => next(request)));
  });
  expect(await client.of(MATH).half(8)).toBe(4);
  expect(runs).toBe(2);
});

const FAULTS: readonly [name: string, interceptor: Interceptor][] = [
  [
    "throws when it is composed",
    () => {
      throw new Error("fault");
    },
  ],
  [
    "throws",
    () => () => {
      throw new Error("fault");
    },
  ],
  [
    "throws after the reply",
    (next) => async (request) => {
      await next(request);
      throw new Error("fault");
    },
  ],
];

test.each(FAULTS)("an interceptor that %s fails its request alone", async (_name, interceptor) => {
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS, {
      methods: { double: { interceptors: [interceptor] }, count: { interceptors: [interceptor] } },
    });
  });
  const api = client.of(MATH);
  await expect(api.double(1)).rejects.toThrow("fault");
  await expect(api.count(3).toArray()).rejects.toThrow("fault");
  expect(await api.half(2)).toBe(1);
});

test("a stream that a failing interceptor leaves open is closed", async () => {
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS);
    host.use((next) => async (request) => {
      await next(request);
      throw new Error("after");
    });
  });
  closed = 0;
  await expect(client.of(MATH).count(3).toArray()).rejects.toThrow("after");
  expect(closed).toBe(1);
});

test.each([
  ["throws", "{"],
  ["returns no promise", "1"],
])("the iterator of a handler whose return() %s is closed without harm", async (_name, text) => {
  const { client } = await start((host) => {
    const iterator = { next: async () => ({ done: false, value: 1 }), return: () => JSON.parse(text) };
    host.register("feed", () => ({ [Symbol.asyncIterator]: () => iterator }), "run");
    host.serve(MATH, { ...HANDLERS, count: () => ({ [Symbol.asyncIterator]: () => iterator }) });
    host.use((next) => async (request) => {
      await next(request);
      throw new Error("after");
    });
  });
  await expect(client.of(MATH).count(3).toArray()).rejects.toThrow("after");
});

test.each(["mdp01", "mdp02"] as const)(
  "interceptors of a host that speaks %s add no headers by themselves",
  async (dialect) => {
    const { client } = await start(
      (host) => {
        host.register("plain", () => 1, "run");
        host.serve(MATH, { ...HANDLERS, half: (_value, ctx) => ctx.replyHeaders.set("a", "b").size });
        host.use((next) => (request) => next(request));
      },
      { dialect },
    );
    expect(await client.call("plain", null, { method: "run" })).toBe(1);
    expect(await client.call("math", 2, { method: "double" })).toBe(4);
    // Headers that a handler sets cannot be sent. An error is a value there.
    const message = expect.stringContaining("its wire has no frame for it");
    expect(await client.call("math", 2, { method: "half" })).toMatchObject({ error: { message } });
  },
);

test("a canceled request aborts the signal of interceptors and handlers", async () => {
  const signals: AbortSignal[] = [];
  let onRunning = (): void => {};
  const running = new Promise<void>((resolve) => {
    onRunning = resolve;
  });
  const { client } = await start((host) => {
    host.serve(MATH, {
      ...HANDLERS,
      double: (_value, ctx) => {
        signals.push(ctx.signal);
        onRunning();
        return new Promise(() => {});
      },
    });
    host.use((next) => (request) => {
      signals.push(request.signal);
      return next(request);
    });
  });
  const controller = new AbortController();
  const called = client.of(MATH).double(1, { signal: controller.signal });
  await running;
  controller.abort();
  await expect(called).rejects.toMatchObject({ code: "CANCELED" });
  await Promise.all(
    signals.map((signal) => signal.aborted || new Promise((resolve) => signal.addEventListener("abort", resolve))),
  );
  expect(signals).toHaveLength(2);
});

test("registered functions pass the interceptors of the host, with their arguments", async () => {
  const inputs: unknown[] = [];
  const { client } = await start((host) => {
    host.register("text", { join: (left: string, right: string) => left + right });
    host.use((next) => (request) => {
      inputs.push(request.input);
      return next(request);
    });
  });
  expect(await client.rpc("text").join?.("a", "b")).toBe("ab");
  expect(inputs).toEqual([["a", "b"]]);
});

test("the end of a stream is observed", async () => {
  let ended = 0;
  const { client } = await start((host) => {
    host.serve(MATH, HANDLERS);
    host.use(
      (next) => async (request) =>
        whenEnded(await next(request), () => {
          ended += 1;
        }),
    );
  });
  await client.of(MATH).count(3).toArray();
  expect(ended).toBe(1);
});

test("an AsyncLocalStorage that an interceptor enters reaches the handler and its chunks", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { client } = await start((host) => {
    host.serve(MATH, {
      ...HANDLERS,
      double: async (value) => {
        await Promise.resolve();
        seen.push(storage.getStore());
        return value * 2;
      },
    });
    host.use((next) => (request) => storage.run(`${request.method} of host`, () => next(request)));
  });
  client.use((next) => (request) => {
    seen.push(storage.getStore());
    return next(request);
  });
  const api = client.of(MATH);
  await storage.run("caller", async () => {
    await api.double(1);
    seen.push(storage.getStore());
    for await (const _chunk of api.count(2)) seen.push(storage.getStore());
  });
  expect(seen).toEqual(["caller", "double of host", "caller", "caller", "caller", "caller"]);
});

test("options of a method that the contract does not have are rejected, and nothing is served", async () => {
  const name: string = "triple";
  const { client } = await start((host) => {
    host.register("math", () => "registered", "other");
    expect(() => host.serve(MATH, HANDLERS, { methods: { [name]: {} } })).toThrow(
      'the contract of service "math" has no method "triple"',
    );
  });
  await expect(client.of(MATH).double(1)).rejects.toMatchObject({ code: "UNIMPLEMENTED" });
});

test("streams of input pass the interceptors of both sides, which change their chunks", async () => {
  const contract = service("sums", {
    sum: clientStream<number, number>(),
    double: duplex<number, number>(),
  });
  const addOne: Interceptor = (next) => async (request) => {
    if (request.kind !== "clientStream" && request.kind !== "duplex") return next(request);
    const { input } = request;
    return next(
      request.with({
        input: (async function* () {
          for await (const chunk of input) yield Number(chunk) + 1;
        })(),
      }),
    );
  };
  const { client } = await start((host) => {
    host.serve(contract, {
      sum: async (chunks) => {
        let sum = 0;
        for await (const chunk of chunks) sum += chunk;
        return sum;
      },
      double: async function* (chunks) {
        for await (const chunk of chunks) yield chunk * 2;
      },
    });
    host.use(addOne);
  });
  client.use(addOne);
  const api = client.of(contract);
  expect(await api.sum([1, 2])).toBe(7);
  expect(await api.double([1, 2]).toArray()).toEqual([6, 8]);
});
