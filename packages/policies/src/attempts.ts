// Policies that send a request more than once. A retry follows a failure. A hedge starts while the first attempt still runs, and the
// first reply counts: it cuts the longest latencies, at the cost of more load.

import type { AnyReply, AnyRequest, Interceptor, Next, RetryPolicy } from "@pigato/contract";
import { readNumber, retryableBy, retryWith, takesChunks } from "@pigato/contract/internal";
import { systemClock } from "./clock.ts";

/**
 * Sends a request again after a failure that is safe to retry; for an idempotent method, after any of the codes of the policy. A stream is
 * retried before its first chunk only. All requests through this interceptor share its budget.
 * @throws UsageError for an invalid policy
 */
export function retry(policy: RetryPolicy = {}): Interceptor {
  return retryWith(policy, systemClock);
}

export interface HedgePolicy extends Pick<RetryPolicy, "codes"> {
  /** Milliseconds between attempts, 0 to 2 147 483 647: best the latency of the slowest 5 % of requests. A failure that may be retried ends the wait. */
  readonly delayMs: number;
  /** Attempts in all, the first included: 2 to 10. @defaultValue 2 */
  readonly attempts?: number;
  /** Whether to hedge requests to methods that are not idempotent. They then run twice. @defaultValue false */
  readonly allowUnsafe?: boolean;
}

/**
 * Hedges requests to idempotent methods, as in gRPC. The first reply counts; for a stream, the first chunk. The other attempts are canceled.
 * Requests to other methods, and those with chunks as their input, pass unchanged.
 * @throws UsageError for an invalid policy
 */
export function hedge(policy: HedgePolicy): Interceptor {
  const settings: Settings = {
    delayMs: readNumber("delayMs", policy.delayMs, 0, 2_147_483_647),
    attempts: readNumber("attempts", policy.attempts ?? 2, 2, 10),
    canRetry: retryableBy({ ...policy, allowUnsafe: true }),
  };
  return (next) => (request) => {
    const mayRepeat = request.canRepeat && (request.isIdempotent || policy.allowUnsafe === true);
    return takesChunks(request.kind) || !mayRepeat ? next(request) : new HedgedCall(next, request, settings).reply;
  };
}

interface Settings {
  readonly delayMs: number;
  readonly attempts: number;
  readonly canRetry: (error: unknown, request: AnyRequest) => boolean;
}

class HedgedCall {
  readonly reply: Promise<AnyReply>;
  readonly #next: Next;
  readonly #request: AnyRequest;
  readonly #settings: Settings;
  readonly #running = new Set<AbortController>();
  #started = 0;
  #isSettled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(next: Next, request: AnyRequest, settings: Settings) {
    this.#next = next;
    this.#request = request;
    this.#settings = settings;
    this.reply = new Promise((resolve, reject) => this.#start(resolve, reject));
  }

  #start(resolve: (reply: AnyReply) => void, reject: (error: unknown) => void): void {
    clearTimeout(this.#timer);
    const controller = new AbortController();
    this.#running.add(controller);
    this.#started += 1;
    if (this.#started < this.#settings.attempts) {
      this.#timer = setTimeout(() => this.#start(resolve, reject), this.#settings.delayMs);
    }
    const signal = AbortSignal.any([this.#request.signal, controller.signal]);
    this.#next(this.#request.with({ attempt: this.#started, signal })).then(
      (reply) => {
        if (this.#isSettled) return;
        this.#settle(controller);
        resolve(reply);
      },
      (error: unknown) => {
        this.#running.delete(controller);
        if (this.#isSettled) return;
        if (this.#isFinal(error)) {
          this.#settle();
          reject(error);
        } else if (this.#started < this.#settings.attempts) this.#start(resolve, reject);
      },
    );
  }

  /** Whether no other attempt can still succeed, or none may be made. */
  #isFinal(error: unknown): boolean {
    if (this.#request.signal.aborted || !this.#settings.canRetry(error, this.#request)) return true;
    return this.#running.size === 0 && this.#started >= this.#settings.attempts;
  }

  /** Cancels all attempts but the winner. */
  #settle(winner?: AbortController): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    for (const controller of this.#running) if (controller !== winner) controller.abort();
  }
}
