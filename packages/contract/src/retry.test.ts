import { type Delivery, type FailureCode, RequestError, UsageError } from "@pigato/protocol";
import { expect, test } from "vitest";
import { HeaderMap } from "./header-map.ts";
import { type AnyRequest, type Next, replyOf, requestOf } from "./interceptor.ts";
import { type MethodKind, unary } from "./method.ts";
import { type PolicyClock, type RetryPolicy, retryWith } from "./retry.ts";

const SAFE = failure("UNAVAILABLE", "queued");
const UNSAFE = failure("WORKER_LOST", "maybe-executed");

function failure(code: FailureCode, delivery: Delivery): RequestError {
  return new RequestError({ code, message: code, delivery });
}

function newRequest(
  changes: {
    idempotent?: boolean;
    deadline?: number;
    kind?: MethodKind;
    signal?: AbortSignal;
    input?: unknown;
    isRepeatable?: (input: unknown) => boolean;
  } = {},
): AnyRequest {
  const definition = unary({ idempotent: changes.idempotent ?? false });
  return requestOf(
    changes.kind ?? "unary",
    { side: "client", service: "stocks", method: "quote", definition },
    {
      headers: new HeaderMap(),
      deadline: changes.deadline === undefined ? undefined : new Date(changes.deadline),
      attempt: 1,
      signal: changes.signal ?? new AbortController().signal,
      readInput: () => changes.input ?? 1,
      send: () => Promise.reject(new Error("not sent through next")),
      ...(changes.isRepeatable && { isRepeatable: changes.isRepeatable }),
    },
  );
}

/** A clock whose pauses end at once. */
class PauseClock implements PolicyClock {
  readonly pauses: number[] = [];
  #now = 0;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    this.pauses.push(ms);
    this.#now += ms;
  }

  random(): number {
    return 0.5;
  }
}

/** A method that fails with these errors in turn, and then succeeds. */
function failing(...errors: readonly Error[]): Next & { attempts: number[] } {
  const attempts: number[] = [];
  const next: Next = (request) => {
    attempts.push(request.attempt);
    const error = errors[attempts.length - 1];
    return error === undefined ? Promise.resolve(replyOf(request, "done")) : Promise.reject(error);
  };
  return Object.assign(next, { attempts });
}

function retried(policy: RetryPolicy, next: Next, clock: PolicyClock = new PauseClock()): Next {
  return retryWith(policy, clock)(next);
}

test("a failure that is safe to retry is retried, with an exponential backoff", async () => {
  const clock = new PauseClock();
  const method = failing(SAFE, SAFE, SAFE);
  const reply = await retried(
    { attempts: 4, backoff: { initialMs: 100, maxMs: 250, jitter: false } },
    method,
    clock,
  )(newRequest());
  expect(reply.output).toBe("done");
  expect(method.attempts).toEqual([1, 2, 3, 4]);
  expect(clock.pauses).toEqual([100, 200, 250]);
});

test("a pause is random by default, from half of it up", async () => {
  const clock = new PauseClock();
  await retried({ backoff: { initialMs: 100 } }, failing(SAFE), clock)(newRequest());
  expect(clock.pauses).toEqual([75]);
});

test("the last failure is that of the request", async () => {
  const last = failure("BUSY", "not-sent");
  await expect(retried({ attempts: 2 }, failing(SAFE, last))(newRequest())).rejects.toBe(last);
});

test("a request that may have run is not retried, unless its method is idempotent or the policy allows it", async () => {
  const method = failing(UNSAFE);
  await expect(retried({}, method)(newRequest())).rejects.toBe(UNSAFE);
  expect(method.attempts).toEqual([1]);
  expect((await retried({}, failing(UNSAFE))(newRequest({ idempotent: true }))).output).toBe("done");
  expect((await retried({ allowUnsafe: true }, failing(UNSAFE))(newRequest())).output).toBe("done");
});

test("only failures with the codes of the policy are retried", async () => {
  const request = newRequest({ idempotent: true });
  const invalid = failure("INVALID", "not-sent");
  await expect(retried({}, failing(invalid))(request)).rejects.toBe(invalid);
  await expect(retried({ codes: ["BUSY"] }, failing(SAFE))(request)).rejects.toBe(SAFE);
  const own = Object.assign(new Error("contract error"), { code: "LOCKED" });
  expect((await retried({ codes: ["LOCKED"] }, failing(own))(request)).output).toBe("done");
});

test("a value that is no error is not retried", async () => {
  const thrown: Next = () => Promise.reject("text");
  await expect(retried({}, thrown)(newRequest({ idempotent: true }))).rejects.toBe("text");
});

test("the budget bounds the retries of all requests", async () => {
  const method = failing(...Array<Error>(20).fill(SAFE));
  const next = retried({ attempts: 2, budget: { maxTokens: 2 } }, method);
  for (let request = 0; request < 4; request += 1) await expect(next(newRequest())).rejects.toBe(SAFE);
  // Two of the four were retried.
  expect(method.attempts).toEqual([1, 2, 1, 2, 1, 1]);
});

test("successes refill the budget", async () => {
  const next = retried({ budget: { maxTokens: 1, tokenRatio: 0.5 } }, failing(SAFE, ...Array<Error>(1)));
  await next(newRequest());
  const empty = retried({ budget: { maxTokens: 0 } }, failing(SAFE));
  await expect(empty(newRequest())).rejects.toBe(SAFE);
});

test("no attempt starts that could not end before the deadline", async () => {
  const clock = new PauseClock();
  const method = failing(SAFE, SAFE);
  const policy = { backoff: { initialMs: 100, jitter: false }, attempts: 5 };
  await expect(retried(policy, method, clock)(newRequest({ deadline: 250 }))).rejects.toBe(SAFE);
  expect(clock.pauses).toEqual([100]);
});

test("a request that ends during a pause is not sent again", async () => {
  const controller = new AbortController();
  const method = failing(SAFE);
  const clock = new PauseClock();
  clock.sleep = async () => controller.abort();
  await expect(retried({}, method, clock)(newRequest({ signal: controller.signal }))).rejects.toBe(SAFE);
  expect(method.attempts).toEqual([1]);
});

test("a request whose chunks cannot be read again is not retried, and fails with its first failure", async () => {
  const method = failing(SAFE);
  await expect(retried({}, method)(newRequest({ kind: "duplex", idempotent: true }))).rejects.toBe(SAFE);
  expect(method.attempts).toEqual([1]);
});

test("a request whose chunks can be read again is retried", async () => {
  const method = failing(SAFE);
  const input = { [Symbol.asyncIterator]: () => [1].values() };
  const request = newRequest({ kind: "clientStream", input, isRepeatable: (chunks) => chunks === input });
  expect((await retried({}, method)(request)).output).toBe("done");
  expect(method.attempts).toEqual([1, 2]);
});

test.each([
  { attempts: 0 },
  { attempts: 1_001 },
  { backoff: { factor: 0.5 } },
  { budget: { maxTokens: -1 } },
  { backoff: { initialMs: Number.NaN } },
  { retries: 5 },
])("the policy %j is rejected", (policy) => {
  expect(() => retryWith(policy, new PauseClock())).toThrow(UsageError);
});
