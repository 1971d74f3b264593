// What an interceptor can do with a request of each kind, at each side: observe, change, stop, retry, time and trace it. And what its
// faults do: they fail its request alone.

import { type AnyReply, type Interceptor, type MethodKind, whenEnded } from "@pigato/contract";
import { describe, expect, test } from "vitest";
import { CallsHandlers, callOf, firstOf, honestCall, KINDS, withInput, withOutput } from "./testing/calls.ts";
import { type Setting, start } from "./testing/start.ts";

type Side = "client" | "host";

const CASES: readonly (readonly [side: Side, kind: MethodKind])[] = KINDS.flatMap((kind) => [
  ["client", kind] as const,
  ["host", kind] as const,
]);

const INPUTS: Readonly<Record<MethodKind, readonly number[]>> = {
  unary: [2],
  serverStream: [2],
  clientStream: [1, 2],
  duplex: [1, 2],
};
const OUTPUTS: Readonly<Record<MethodKind, readonly number[]>> = {
  unary: [4],
  serverStream: [2, 4],
  clientStream: [3],
  duplex: [2, 4],
};

interface Intercepted extends Setting {
  readonly handlers: CallsHandlers;
}

/** The interceptor leaves the method `honest` alone. */
async function intercepted(side: Side, interceptor: Interceptor, handlers = new CallsHandlers()): Promise<Intercepted> {
  const skipping: Interceptor = (next) => {
    const run = interceptor(next);
    return (request) => (request.method === "honest" ? next(request) : run(request));
  };
  const setting = await start((host) => {
    handlers.serve(host);
    if (side === "host") host.use(skipping);
  });
  if (side === "client") setting.client.use(skipping);
  return { ...setting, handlers };
}

describe.each(CASES)("an interceptor at the %s of a %s method", (side, kind) => {
  test("observes the request, each value that passes, and the end", async () => {
    const seen: unknown[] = [];
    const { client } = await intercepted(side, (next) => async (request) => {
      seen.push([request.side, request.kind, `${request.service}.${request.method}`, request.definition?.kind]);
      const note = (what: string) => (value: unknown) => {
        seen.push([what, value]);
        return value;
      };
      const reply = await next(withInput(request, note("input")));
      return whenEnded(withOutput(reply, note("output")), (failure) => seen.push(["end", failure]));
    });
    expect(await callOf(client, kind)).toEqual(OUTPUTS[kind]);
    expect(seen[0]).toEqual([side, kind, `calls.${kind}`, kind]);
    const values = (what: string) =>
      seen.filter((entry) => Array.isArray(entry) && entry[0] === what).map((entry) => Object(entry)[1]);
    expect(values("input")).toEqual(INPUTS[kind]);
    expect(values("output")).toEqual(OUTPUTS[kind]);
    expect(seen.at(-1)).toEqual(["end", undefined]);
    expect(values("end")).toHaveLength(1);
  });

  test("changes input and output", async () => {
    const { client } = await intercepted(side, (next) => async (request) => {
      const reply = await next(withInput(request, (value) => Number(value) + 1));
      return withOutput(reply, (value) => Number(value) * 10);
    });
    const changed = { unary: [60], serverStream: [30, 60], clientStream: [50], duplex: [40, 60] };
    expect(await callOf(client, kind)).toEqual(changed[kind]);
  });

  test("stops it with an error or with a reply of its own, and the handler does not run", async () => {
    let isDenied = true;
    const { client, handlers } = await intercepted(side, () => async (request) => {
      if (isDenied) throw Object.assign(new Error("no token"), { code: "UNAUTHENTICATED" });
      const isStream = request.kind === "serverStream" || request.kind === "duplex";
      return request.respond(isStream ? chunks(7, 8) : 7);
    });
    await expect(callOf(client, kind)).rejects.toThrow("no token");
    isDenied = false;
    expect(await callOf(client, kind)).toEqual(kind === "serverStream" || kind === "duplex" ? [7, 8] : [7]);
    expect(handlers.runs).toBe(0);
  });

  test("retries it", async () => {
    const attempts: number[] = [];
    const handlers = new CallsHandlers();
    handlers.failures = 1;
    const { client } = await intercepted(
      side,
      (next) => async (request) => {
        for (let attempt = 1; ; attempt += 1) {
          attempts.push(attempt);
          try {
            return await next(request.with({ attempt }));
          } catch (error) {
            if (attempt === 2) throw error;
          }
        }
      },
      handlers,
    );
    expect(await callOf(client, kind)).toEqual(OUTPUTS[kind]);
    expect([attempts, handlers.runs]).toEqual([[1, 2], 2]);
  });

  test("times it to its end, and bounds its time", async () => {
    const handlers = new CallsHandlers();
    const { client } = await intercepted(
      side,
      (next) => async (request) => {
        handlers.events.push("begin");
        const reply = await next(request.with({ deadline: new Date(Date.now() + 60_000) }));
        return whenEnded(reply, () => handlers.events.push("end"));
      },
      handlers,
    );
    await callOf(client, kind);
    expect(handlers.events).toEqual(["begin", "handler begins", "handler ends", "end"]);
    const [context] = handlers.contexts;
    expect(context?.deadline).toBeInstanceOf(Date);
    expect(context?.timeLeft()).toBeLessThanOrEqual(60_000);
  });

  test("traces it by headers of the request, and reads headers and trailers of the reply", async () => {
    let reply: AnyReply | undefined;
    const { client, handlers } = await intercepted(side, (next) => async (request) => {
      request.headers.set("Traceparent", "00-1");
      reply = await next(request.with({ headers: { tracestate: "a=b" } }));
      return reply;
    });
    await callOf(client, kind);
    const headers = handlers.contexts[0]?.headers;
    expect([headers?.get("traceparent"), headers?.get("tracestate")]).toEqual(["00-1", "a=b"]);
    expect(reply?.headers.get("served-by")).toBe("calls");
    expect(reply?.trailers.get("rows")).toBe("2");
  });

  test.each(FAULTS)("that %s fails its request alone", async (_what, interceptor) => {
    const { client, handlers } = await intercepted(side, interceptor);
    const failed = expect(callOf(client, kind)).rejects.toSatisfy(isFault);
    expect(await honestCall(client)).toBe(7);
    await failed;
    expect(await honestCall(client)).toBe(7);
    expect(handlers.runs).toBeLessThanOrEqual(1);
  });

  test("that fails when it cleans up after a reader that has left ends nothing else", async () => {
    let cleanups = 0;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (let value = 1; ; value += 1) yield value;
      } finally {
        cleanups += 1;
        fault();
      }
    }
    const { client } = await intercepted(side, () => async (request) => {
      const isStream = request.kind === "serverStream" || request.kind === "duplex";
      return request.respond(isStream ? endless() : 1);
    });
    expect(await firstOf(client, kind)).toBe(1);
    const isStream = kind === "serverStream" || kind === "duplex";
    await expect.poll(() => cleanups, { timeout: 10_000 }).toBe(isStream ? 1 : 0);
    expect(await honestCall(client)).toBe(7);
  });
});

const FAULTS: readonly (readonly [what: string, interceptor: Interceptor])[] = [
  ["throws at once", () => () => fault()],
  ["rejects", () => async () => fault()],
  ["rejects after the reply", (next) => async (request) => next(request).then(fault)],
  ["throws while it reads the input", (next) => (request) => next(withInput(request, fault))],
  ["throws at the first value of the output", (next) => async (request) => withOutput(await next(request), fault)],
  [
    "throws at the last value of the output",
    (next) => async (request) =>
      withOutput(await next(request), (value) => (value === OUTPUTS[request.kind].at(-1) ? fault() : value)),
  ],
  ["throws at the end", (next) => async (request) => whenEnded(await next(request), fault)],
];

/** The failure of a source of input is the cause of its request's. */
function isFault(error: unknown): boolean {
  return error instanceof Error && (error.message === "fault" || isFault(error.cause));
}

function fault(): never {
  throw new Error("fault");
}

async function* chunks(...values: readonly number[]): AsyncGenerator<number> {
  yield* values;
}
