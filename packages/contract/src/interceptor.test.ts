import { UsageError } from "@pigato/protocol";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { afterFirst } from "./chunks.ts";
import { compose, whenEnded } from "./compose.ts";
import { HeaderMap } from "./header-map.ts";
import { type AnyReply, type AnyRequest, type Interceptor, type Next, replyOf, requestOf } from "./interceptor.ts";
import { type MethodKind, unary } from "./method.ts";

function newRequest(kind: MethodKind = "unary", send: Next = echo): AnyRequest {
  const definition = unary({ idempotent: true });
  return requestOf(
    kind,
    { side: "client", service: "stocks", method: "quote", definition },
    {
      headers: HeaderMap.from({ Trace: "t1" }),
      deadline: undefined,
      attempt: 1,
      signal: new AbortController().signal,
      readInput: () => 1,
      send,
    },
  );
}

/** A method that returns its input. */
const echo: Next = (request) => Promise.resolve(replyOf(request, request.input));

async function* count(to: number): AsyncGenerator<number> {
  for (let value = 1; value <= to; value += 1) yield value;
}

function readReply(reply: AnyReply): Promise<unknown[]> {
  if (reply.kind !== "serverStream" && reply.kind !== "duplex") throw new Error("not a stream");
  return readAll(reply.output);
}

async function readAll(chunks: AsyncIterable<unknown>): Promise<unknown[]> {
  const read: unknown[] = [];
  for await (const chunk of chunks) read.push(chunk);
  return read;
}

describe("composition", () => {
  test("the first interceptor is the outermost", async () => {
    const steps: string[] = [];
    const traced =
      (name: string): Interceptor =>
      (next) =>
      async (request) => {
        steps.push(`${name} before`);
        const reply = await next(request);
        steps.push(`${name} after`);
        return reply;
      };
    await compose([traced("outer"), traced("inner")])(newRequest());
    expect(steps).toEqual(["outer before", "inner before", "inner after", "outer after"]);
  });

  test("an interceptor is called once for a method, and what it returns once for each request", async () => {
    let composed = 0;
    let requests = 0;
    const next = compose([
      (inner) => {
        composed += 1;
        return (request) => {
          requests += 1;
          return inner(request);
        };
      },
    ]);
    await next(newRequest());
    await next(newRequest());
    expect([composed, requests]).toEqual([1, 2]);
  });

  test("without interceptors, the request is sent", async () => {
    expect((await compose([])(newRequest())).output).toBe(1);
  });

  test("an interceptor reads what the request is for without its input", async () => {
    const info = { side: "host", service: "stocks", method: "quote", definition: undefined } as const;
    const request = requestOf("unary", info, {
      headers: new HeaderMap(),
      deadline: undefined,
      attempt: 2,
      signal: new AbortController().signal,
      readInput: () => {
        throw new Error("the input was decoded");
      },
      send: echo,
    });
    const reply = await compose([() => async (seen) => seen.respond(`${seen.side} ${seen.method} ${seen.attempt}`)])(
      request,
    );
    expect(reply.output).toBe("host quote 2");
  });

  test("a request with chunks can be repeated only if they can be read again", () => {
    expect((["unary", "serverStream"] as const).map((kind) => newRequest(kind).canRepeat)).toEqual([true, true]);
    const chunks = count(2);
    const info = { side: "client", service: "stocks", method: "load", definition: undefined } as const;
    const state = {
      headers: new HeaderMap(),
      deadline: undefined,
      attempt: 1,
      signal: new AbortController().signal,
      readInput: () => chunks,
      send: echo,
    };
    expect(requestOf("clientStream", info, state).canRepeat).toBe(false);
    const request = requestOf("clientStream", info, { ...state, isRepeatable: (input) => input === chunks });
    expect(request.canRepeat).toBe(true);
    expect(request.with({ attempt: 2 }).canRepeat).toBe(true);
    if (request.kind === "clientStream") expect(request.with({ input: count(1) }).canRepeat).toBe(false);
  });

  test("an interceptor changes input, headers and output", async () => {
    let seen: AnyRequest | undefined;
    const change: Interceptor = (next) => async (request) => {
      if (request.kind !== "unary") return next(request);
      request.headers.set("Tenant", "acme");
      const reply = await next(request.with({ input: 20, headers: { trace: "t2" }, deadline: new Date(9) }));
      return reply.kind === "unary" ? { ...reply, output: Number(reply.output) + 1 } : reply;
    };
    const reply = await compose([change])(
      newRequest("unary", (request) => {
        seen = request;
        return echo(request);
      }),
    );
    expect(reply.output).toBe(21);
    expect(seen?.headers.toJSON()).toEqual({ trace: "t2", tenant: "acme" });
    expect(seen?.deadline).toEqual(new Date(9));
    expect(seen?.isIdempotent).toBe(true);
  });

  test("changes do not reach the request that they were made from", () => {
    const request = newRequest();
    request.with({ headers: { trace: "t2" } });
    expect(request.headers.get("trace")).toBe("t1");
  });
});

describe("a fault of an interceptor fails its request alone", () => {
  const faults: readonly [string, (next: Next) => unknown, string][] = [
    [
      "throws when it is composed",
      () => {
        throw new Error("no composition");
      },
      "no composition",
    ],
    ["returns no function", () => 5, "it returned number"],
    [
      "throws at once",
      () => () => {
        throw new Error("at once");
      },
      "at once",
    ],
    ["rejects", () => () => Promise.reject(new Error("rejected")), "rejected"],
    ["returns no reply", () => async () => undefined, "returned no reply"],
    ["returns a value in place of a reply", () => async () => 5, "returned no reply"],
    [
      "returns the reply of another kind of method",
      () => async () => replyOf({ ...NAMES, kind: "duplex" }, count(1)),
      "returned no reply",
    ],
    [
      "throws after the reply",
      (next) => async (request: AnyRequest) => {
        await next(request);
        throw new Error("after");
      },
      "after",
    ],
  ];
  const NAMES = { service: "s", method: "m" };

  test.each(faults)("one that %s", async (_name, interceptor, message) => {
    // A JavaScript program can pass anything.
    const name: string = "interceptor";
    const untyped: Interceptor = Reflect.get({ interceptor }, name);
    await expect(compose([untyped])(newRequest())).rejects.toThrow(message);
  });

  test.each([1, 2])(
    "one that neither returns nor awaits next() leaves no failure unhandled, as one of %d",
    async (count) => {
      const unhandled: unknown[] = [];
      const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
      process.on("unhandledRejection", onUnhandled);
      onTestFinished(() => void process.off("unhandledRejection", onUnhandled));
      const forgetful: Interceptor = (next) => (request) => {
        void next(request);
        return Promise.reject(new Error("forgotten"));
      };
      const inner: Interceptor = (next) => (request) => next(request);
      const send: Next = () => Promise.reject(new Error("lost"));
      const interceptors = [forgetful, inner].slice(0, count);
      await expect(compose(interceptors)(newRequest("unary", send))).rejects.toThrow("forgotten");
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).toEqual([]);
    },
  );

  test("an output that is no stream is rejected, where the method returns one", () => {
    expect(() => newRequest("serverStream").respond(5)).toThrow(UsageError);
  });
});

describe("next may be called again", () => {
  test("an interceptor retries", async () => {
    let calls = 0;
    const again: Interceptor = (next) => (request) => next(request).catch(() => next(request.with({ attempt: 2 })));
    const send: Next = (request) => {
      calls += 1;
      return calls === 1 ? Promise.reject(new Error("first")) : Promise.resolve(replyOf(request, request.attempt));
    };
    const reply = await compose([again])(newRequest("unary", send));
    expect(reply.output).toBe(2);
  });
});

describe("streams", () => {
  test("an interceptor changes each chunk", async () => {
    const double: Interceptor = (next) => async (request) => {
      const reply = await next(request);
      if (reply.kind !== "serverStream") return reply;
      const { output } = reply;
      return {
        ...reply,
        output: (async function* () {
          for await (const chunk of output) yield Number(chunk) * 2;
        })(),
      };
    };
    const reply = await compose([double])(newRequest("serverStream", async (request) => replyOf(request, count(3))));
    expect(await readReply(reply)).toEqual([2, 4, 6]);
  });

  test("the end of a stream is observed once, with its error", async () => {
    const ends: unknown[] = [];
    const failing = (async function* () {
      yield 1;
      throw new Error("midway");
    })();
    const reply = whenEnded(replyOf(newRequest("serverStream"), failing), (failure) => ends.push(failure?.error));
    await expect(readReply(reply)).rejects.toThrow("midway");
    expect(ends).toEqual([new Error("midway")]);
  });

  test("a reader that stops ends the stream, also before the first chunk", async () => {
    const ends: unknown[] = [];
    const reply = whenEnded(replyOf(newRequest("serverStream"), count(3)), (failure) => ends.push(failure));
    if (reply.kind !== "serverStream") throw new Error("not a stream");
    await reply.output[Symbol.asyncIterator]().return?.();
    expect(ends).toEqual([undefined]);
  });

  test("a failure before the first chunk is that of the request", async () => {
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("no first chunk")) }) };
    await expect(afterFirst(failing, new AbortController().signal)).rejects.toThrow("no first chunk");
    expect(await readAll(await afterFirst(count(2), new AbortController().signal))).toEqual([1, 2]);
    expect(await readAll(await afterFirst(count(0), new AbortController().signal))).toEqual([]);
  });

  test("chunks that are not read are closed when the request ends", async () => {
    let isClosed = false;
    const open = (async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        isClosed = true;
      }
    })();
    const controller = new AbortController();
    await afterFirst(open, controller.signal);
    controller.abort();
    await Promise.resolve();
    expect(isClosed).toBe(true);
  });
});

describe("headers", () => {
  test("names are equal in any case", () => {
    const headers = HeaderMap.from({ TraceParent: "a" });
    expect(headers.get("traceparent")).toBe("a");
    expect(headers.has("TRACEPARENT")).toBe(true);
    headers.set("traceParent", "b");
    expect(headers.toJSON()).toEqual({ traceparent: "b" });
    expect(headers.delete("TraceParent")).toBe(true);
  });

  test.each(["a\nb", "a\0", "\r", "\u0085"])("the value %j is rejected, because it has control characters", (value) => {
    expect(() => HeaderMap.from({ trace: value })).toThrow(UsageError);
    expect(() => HeaderMap.from({ [value]: "x" })).toThrow(UsageError);
  });
});

test("the input of a request has the type of its kind", () => {
  const request = newRequest();
  if (request.kind === "duplex") expectTypeOf(request.input).toEqualTypeOf<AsyncIterable<unknown>>();
  else expectTypeOf(request.input).toEqualTypeOf<unknown>();
});
