import {
  type AnyReply,
  type AnyRequest,
  HeaderMap,
  type Interceptor,
  type MethodKind,
  type Next,
  unary,
} from "@pigato/contract";
import { compose, replyOf, requestOf } from "@pigato/contract/internal";
import { type Delivery, type FailureCode, RequestError, UsageError } from "@pigato/protocol";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { bulkhead, circuitBreaker, hedge, log, retry, timeout } from "./index.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

interface Setting {
  readonly idempotent?: boolean;
  readonly kind?: MethodKind;
  readonly service?: string;
  readonly side?: "client" | "host";
  readonly signal?: AbortSignal;
  readonly deadline?: Date;
}

function newRequest(setting: Setting = {}, send: Next = () => Promise.reject(new Error("no method"))): AnyRequest {
  const { idempotent = true, kind = "unary", service = "stocks", side = "client", signal, deadline } = setting;
  return requestOf(
    kind,
    { side, service, method: "quote", definition: unary({ idempotent }) },
    {
      headers: new HeaderMap(),
      deadline,
      attempt: 1,
      signal: signal ?? new AbortController().signal,
      readInput: () => 1,
      send,
    },
  );
}

function failure(code: FailureCode, delivery: Delivery = "not-sent"): RequestError {
  return new RequestError({ code, message: code, delivery });
}

/** A method whose attempts the test ends. */
class Attempts {
  readonly requests: AnyRequest[] = [];
  readonly #ends: { resolve(reply: AnyReply): void; reject(error: unknown): void }[] = [];

  through(...interceptors: readonly Interceptor[]): (setting?: Setting) => Promise<AnyReply> {
    const next = compose(interceptors);
    return (setting) => next(newRequest(setting, (request) => this.#send(request)));
  }

  #send(request: AnyRequest): Promise<AnyReply> {
    this.requests.push(request);
    return new Promise((resolve, reject) => this.#ends.push({ resolve, reject }));
  }

  get count(): number {
    return this.requests.length;
  }

  async reply(attempt: number, output: unknown): Promise<void> {
    const request = this.requests[attempt];
    if (request !== undefined) this.#ends[attempt]?.resolve(replyOf(request, output));
    await vi.advanceTimersByTimeAsync(0);
  }

  async fail(attempt: number, error: unknown): Promise<void> {
    this.#ends[attempt]?.reject(error);
    await vi.advanceTimersByTimeAsync(0);
  }
}

/** The result of a request: its output, or its error. */
function resultOf(reply: Promise<AnyReply>): { value: unknown } {
  const result: { value: unknown } = { value: undefined };
  reply.then(
    ({ output }) => {
      result.value = output;
    },
    (error: unknown) => {
      result.value = error;
    },
  );
  return result;
}

async function* chunks(): AsyncGenerator<number> {
  yield 1;
  yield 2;
}

async function readAll(reply: AnyReply): Promise<void> {
  if (reply.kind !== "serverStream") throw new Error("not a stream");
  for await (const _chunk of reply.output);
}

describe("retry", () => {
  test("waits between attempts with the timers of the process", async () => {
    const method = new Attempts();
    const result = resultOf(method.through(retry({ backoff: { initialMs: 100, jitter: false } }))());
    await method.fail(0, failure("BUSY"));
    await vi.advanceTimersByTimeAsync(99);
    expect(method.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(method.requests.map(({ attempt }) => attempt)).toEqual([1, 2]);
    await method.reply(1, "done");
    expect(result.value).toBe("done");
  });

  test("a canceled request ends its pause at once", async () => {
    const method = new Attempts();
    const controller = new AbortController();
    const result = resultOf(method.through(retry())({ signal: controller.signal }));
    const error = failure("BUSY");
    await method.fail(0, error);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(result.value).toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("hedge", () => {
  test("sends a second attempt after the delay, takes the first reply and cancels the other attempt", async () => {
    const method = new Attempts();
    const result = resultOf(method.through(hedge({ delayMs: 50 }))());
    await vi.advanceTimersByTimeAsync(49);
    expect(method.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(method.count).toBe(2);
    await method.reply(1, "second");
    expect(result.value).toBe("second");
    expect(method.requests.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(method.count).toBe(2);
  });

  test("a reply within the delay needs no second attempt", async () => {
    const method = new Attempts();
    resultOf(method.through(hedge({ delayMs: 50 }))());
    await method.reply(0, "first");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a failure that may be retried starts the next attempt at once; the last failure is that of the request", async () => {
    const method = new Attempts();
    const result = resultOf(method.through(hedge({ delayMs: 50, attempts: 2 }))());
    await method.fail(0, failure("BUSY"));
    expect(method.count).toBe(2);
    const last = failure("WORKER_LOST", "maybe-executed");
    await method.fail(1, last);
    expect(result.value).toBe(last);
  });

  test("any other failure ends the request", async () => {
    const method = new Attempts();
    const result = resultOf(method.through(hedge({ delayMs: 50 }))());
    const error = failure("INVALID");
    await method.fail(0, error);
    expect(result.value).toBe(error);
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([{ idempotent: false }, { kind: "clientStream" as const }])(
    "a request with %j is sent once",
    async (setting) => {
      const method = new Attempts();
      resultOf(method.through(hedge({ delayMs: 50 }))(setting));
      await vi.advanceTimersByTimeAsync(1_000);
      expect(method.count).toBe(1);
    },
  );

  test("a method that is not idempotent is hedged if the policy allows it", async () => {
    const method = new Attempts();
    resultOf(method.through(hedge({ delayMs: 50, allowUnsafe: true }))({ idempotent: false }));
    await vi.advanceTimersByTimeAsync(50);
    expect(method.count).toBe(2);
  });
});

describe("circuit breaker", () => {
  test("fails requests at once after consecutive failures, and tests the service after a pause", async () => {
    const method = new Attempts();
    const call = method.through(circuitBreaker({ failures: 2, halfOpenAfterMs: 1_000 }));
    for (const attempt of [0, 1]) {
      resultOf(call());
      await method.fail(attempt, failure("BUSY"));
    }
    await expect(call()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      delivery: "not-sent",
      service: "stocks",
    });
    expect(method.count).toBe(2);

    await vi.advanceTimersByTimeAsync(1_000);
    const tested = resultOf(call());
    await method.reply(2, "well");
    expect(tested.value).toBe("well");
    resultOf(call());
    expect(method.count).toBe(4);
  });

  test("each service has its own circuit, and failures with other codes do not count", async () => {
    const method = new Attempts();
    const call = method.through(circuitBreaker({ failures: 1 }));
    resultOf(call({ service: "a" }));
    await method.fail(0, failure("BUSY"));
    resultOf(call({ service: "b" }));
    await method.fail(1, failure("INVALID"));
    resultOf(call({ service: "b" }));
    expect(method.count).toBe(3);
    await expect(call({ service: "a" })).rejects.toThrow("the circuit breaker is open");
  });
});

describe("bulkhead", () => {
  test("bounds what runs and what waits", async () => {
    const method = new Attempts();
    const call = method.through(bulkhead({ concurrency: 1, queue: 1 }));
    const results = [resultOf(call()), resultOf(call()), resultOf(call())];
    await vi.advanceTimersByTimeAsync(0);
    expect(method.count).toBe(1);
    expect(results[2]?.value).toMatchObject({ code: "BUSY", isRetrySafe: true });
    await method.reply(0, "first");
    expect(method.count).toBe(2);
    await method.reply(1, "second");
    expect(results.map(({ value }) => value).slice(0, 2)).toEqual(["first", "second"]);
  });

  test("a request that is canceled while it waits does not stop the queue", async () => {
    const method = new Attempts();
    const call = method.through(bulkhead({ concurrency: 1, queue: 5 }));
    const controller = new AbortController();
    resultOf(call());
    const canceled = resultOf(call({ signal: controller.signal }));
    resultOf(call());
    controller.abort(new Error("canceled"));
    await method.reply(0, "first");
    expect(canceled.value).toEqual(new Error("canceled"));
    expect(method.count).toBe(2);
  });

  test("a stream counts until its end", async () => {
    const method = new Attempts();
    const call = method.through(bulkhead({ concurrency: 1, queue: 1 }));
    const stream = call({ kind: "serverStream" });
    resultOf(call());
    await method.reply(0, chunks());
    const reply = await stream;
    expect(method.count).toBe(1);
    await readAll(reply);
    await vi.advanceTimersByTimeAsync(0);
    expect(method.count).toBe(2);
  });
});

describe("timeout", () => {
  test("sets the deadline, and ends a request that ignores it", async () => {
    const method = new Attempts();
    const start = Date.now();
    const result = resultOf(method.through(timeout(100))({ side: "host" }));
    expect(method.requests[0]?.deadline).toEqual(new Date(start + 100));
    await vi.advanceTimersByTimeAsync(100);
    expect(result.value).toMatchObject({ code: "DEADLINE_EXCEEDED" });
    expect(method.requests[0]?.signal.aborted).toBe(true);
  });

  test("bounds all attempts together", async () => {
    const method = new Attempts();
    const policy = { attempts: 100, backoff: { initialMs: 30, factor: 1, jitter: false }, budget: false } as const;
    const result = resultOf(method.through(timeout(100), retry(policy))({ side: "host" }));
    const last = failure("BUSY");
    for (let attempt = 0; attempt < 4; attempt += 1) {
      await method.fail(attempt, last);
      await vi.advanceTimersByTimeAsync(30);
    }
    // A fifth attempt would start after the deadline.
    expect(method.count).toBe(4);
    expect(result.value).toBe(last);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an earlier deadline stays", () => {
    const method = new Attempts();
    resultOf(method.through(timeout(100))({ deadline: new Date(Date.now() + 50) }));
    expect(method.requests[0]?.deadline).toEqual(new Date(Date.now() + 50));
    expect(vi.getTimerCount()).toBe(0);
  });

  test("a stream must end in time, too", async () => {
    const method = new Attempts();
    const stream = method.through(timeout(100))({ kind: "serverStream", side: "host" });
    await method.reply(0, chunks());
    await stream;
    await vi.advanceTimersByTimeAsync(100);
    expect(method.requests[0]?.signal.aborted).toBe(true);
  });
});

test("log writes one record for each request, a stream after its last chunk", async () => {
  const records: unknown[] = [];
  const logger = {
    info: (fields: object, text: string) => records.push(["info", fields, text]),
    warn: (fields: object, text: string) => records.push(["warn", fields, text]),
  };
  const method = new Attempts();
  const call = method.through(log(logger));
  const stream = call({ kind: "serverStream" });
  resultOf(call());
  await vi.advanceTimersByTimeAsync(20);
  await method.fail(1, failure("BUSY"));
  await method.reply(0, chunks());
  await readAll(await stream);
  expect(records).toEqual([
    ["warn", expect.objectContaining({ code: "BUSY", kind: "unary", durationMs: 20 }), "stocks.quote failed: BUSY"],
    ["info", expect.objectContaining({ side: "client", service: "stocks", method: "quote" }), "stocks.quote succeeded"],
  ]);
});

test.each([
  () => hedge({ delayMs: -1 }),
  () => hedge({ delayMs: 1, attempts: 1 }),
  () => circuitBreaker({ failures: 0 }),
  () => bulkhead({ concurrency: 0 }),
  () => timeout(Number.NaN),
  () => retry({ attempts: 0 }),
])("an invalid policy is rejected: %s", (create) => {
  expect(create).toThrow(UsageError);
});
