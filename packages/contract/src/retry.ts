// Retries a request that failed. It decides which failures, how often, and after which pause; clock, timers and random numbers
// are passed in.
//
// Invariant: without `allowUnsafe`, it never repeats a request that a worker may have run, unless its method is idempotent.

import { UsageError } from "@pigato/protocol";
import { isError } from "@pigato/protocol/internal";
import type { AnyRequest, Interceptor } from "./interceptor.ts";

export interface Backoff {
  /** Milliseconds before the second attempt, from 0. @defaultValue 100 */
  readonly initialMs?: number;
  /** The longest pause in milliseconds, from 0. @defaultValue 5 000 */
  readonly maxMs?: number;
  /** The pause is multiplied by it with each attempt, from 1. @defaultValue 2 */
  readonly factor?: number;
  /** Whether each pause is random, from half of it up, so that clients do not return together. @defaultValue true */
  readonly jitter?: boolean;
}

/** Bounds the retries of all requests that share a policy, so that retries do not add to an overload. */
export interface RetryBudget {
  /** Retries without a success between them, from 0; then requests fail without a retry. @defaultValue 10 */
  readonly maxTokens?: number;
  /** What each success adds, from 0: 0.1 allows one retry for ten successes. @defaultValue 0.1 */
  readonly tokenRatio?: number;
}

export interface RetryPolicy {
  /** Attempts in all, the first included: 1 to 1 000. @defaultValue 3 */
  readonly attempts?: number;
  /**
   * The pause before an attempt: settings of an exponential backoff, or a function of the number of attempts so far that returns milliseconds.
   * @defaultValue an exponential backoff
   */
  readonly backoff?: Backoff | ((attempts: number) => number);
  /**
   * The codes of failures to retry. @defaultValue `UNAVAILABLE`, `BUSY`, `REJECTED`, `WORKER_LOST`, `BROKER_LOST`,
   * `DEADLINE_EXCEEDED` and `WORKER_FAILED`
   */
  readonly codes?: readonly string[];
  /** Bounds the retries of all requests with this policy; `false` is no bound. @defaultValue 10 tokens, 0.1 for each success */
  readonly budget?: RetryBudget | false;
  /** Whether to retry a request that may have run, though its method is not idempotent. It may then run twice. @defaultValue false */
  readonly allowUnsafe?: boolean;
}

/** The time and randomness that policies need. */
export interface PolicyClock {
  /** In milliseconds of `Date.now()`. */
  now(): number;
  /** Resolves after a duration, or when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** From 0 up to 1. */
  random(): number;
}

const DEFAULT_ATTEMPTS = 3;
const MAX_ATTEMPTS = 1_000;
const DEFAULT_CODES: readonly string[] = [
  "UNAVAILABLE",
  "BUSY",
  "REJECTED",
  "WORKER_LOST",
  "BROKER_LOST",
  "DEADLINE_EXCEEDED",
  "WORKER_FAILED",
];

/** @throws UsageError for an invalid policy */
export function retryWith(policy: RetryPolicy, clock: PolicyClock): Interceptor {
  checkFields(policy);
  const attempts = readNumber("attempts", policy.attempts ?? DEFAULT_ATTEMPTS, 1, MAX_ATTEMPTS);
  const pauseAfter = backoffOf(policy.backoff ?? {}, clock);
  const budget = new Budget(policy.budget ?? {});
  const canRetry = retryableBy(policy);
  return (next) => async (request) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await next(attempt === 1 ? request : request.with({ attempt }));
        budget.onSuccess();
        return reply;
      } catch (error) {
        if (attempt >= attempts || !canRetry(error, request) || !budget.takeOne()) throw error;
        const pause = pauseAfter(attempt);
        // Another attempt could not end in time.
        if (request.deadline !== undefined && clock.now() + pause >= request.deadline.getTime()) throw error;
        await clock.sleep(pause, request.signal);
        if (request.signal.aborted) throw error;
      }
    }
  };
}

const FIELDS: ReadonlySet<string> = new Set(["attempts", "backoff", "codes", "budget", "allowUnsafe"]);

/** A policy may come from a program without types. */
function checkFields(policy: unknown): void {
  if (typeof policy !== "object" || policy === null) throw new UsageError("a retry policy must be an object");
  const unknown = Object.keys(policy).find((name) => !FIELDS.has(name));
  if (unknown === undefined) return;
  throw new UsageError(`a retry policy has no field "${unknown}": it has ${[...FIELDS].join(", ")}`);
}

/** Whether a policy may send a request again after a failure. */
export function retryableBy({
  codes = DEFAULT_CODES,
  allowUnsafe = false,
}: Pick<RetryPolicy, "codes" | "allowUnsafe">): (error: unknown, request: AnyRequest) => boolean {
  const retryable = new Set(codes);
  return (error, request) => {
    if (!isError(error) || !retryable.has(String(Reflect.get(error, "code")))) return false;
    // Chunks that cannot be read again are gone: the first failure is what the caller gets.
    if (!request.canRepeat) return false;
    return allowUnsafe || request.isIdempotent || Reflect.get(error, "isRetrySafe") === true;
  };
}

/** Tokens as in gRPC's retry throttling: a retry takes one, a success adds a part of one. */
class Budget {
  readonly #maxTokens: number;
  readonly #tokenRatio: number;
  #tokens: number;

  constructor(budget: RetryBudget | false) {
    const { maxTokens = 10, tokenRatio = 0.1 } = budget === false ? { maxTokens: Number.POSITIVE_INFINITY } : budget;
    this.#maxTokens = readNumber("budget.maxTokens", maxTokens, 0, Number.POSITIVE_INFINITY);
    this.#tokenRatio = readNumber("budget.tokenRatio", tokenRatio, 0, Number.POSITIVE_INFINITY);
    this.#tokens = this.#maxTokens;
  }

  onSuccess(): void {
    this.#tokens = Math.min(this.#maxTokens, this.#tokens + this.#tokenRatio);
  }

  takeOne(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}

/** @returns the milliseconds to wait after a number of attempts */
function backoffOf(
  backoff: Backoff | ((attempts: number) => number),
  clock: PolicyClock,
): (attempts: number) => number {
  if (typeof backoff === "function") {
    return (attempts) => readNumber("backoff", backoff(attempts), 0, Number.POSITIVE_INFINITY);
  }
  const { initialMs = 100, maxMs = 5_000, factor = 2, jitter = true } = backoff;
  readNumber("backoff.initialMs", initialMs, 0, Number.POSITIVE_INFINITY);
  readNumber("backoff.maxMs", maxMs, 0, Number.POSITIVE_INFINITY);
  readNumber("backoff.factor", factor, 1, Number.POSITIVE_INFINITY);
  return (attempts) => {
    const pause = Math.min(maxMs, initialMs * factor ** (attempts - 1));
    return jitter ? pause * (0.5 + clock.random() / 2) : pause;
  };
}

/** @throws UsageError for anything but a number within the bounds */
export function readNumber(name: string, value: number, min: number, max: number): number {
  if (typeof value === "number" && value >= min && value <= max) return value;
  const bounds = max === Number.POSITIVE_INFINITY ? `a number from ${min}` : `a number from ${min} to ${max}`;
  throw new UsageError(`${name} of a policy must be ${bounds}; got ${String(value)}`);
}
