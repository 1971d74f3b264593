// A broadcast: one request to every worker of a service. The directory lists the workers, each worker gets a request by its id,
// and results arrive in the order of the replies. A failed request is a result, too.

import { integer, type Option, readOption, rejectUnknownOptions, withCurrentStack } from "@pigato/peer";
import { RequestError, UsageError } from "@pigato/protocol";
import type { SharedSignal } from "./abort-signals.ts";
import { type CallOptions, CallSchema } from "./call-options.ts";

/** The core service that lists the workers. */
const DIRECTORY = "$dir";

class BroadcastSchema extends CallSchema {
  readonly concurrency: Option<number> = integer({ min: 1, max: 1_000_000, default: 100 });
  readonly maxWorkers: Option<number> = integer({ min: 1, max: 1_000_000, default: 10_000 });
}

const SCHEMA: BroadcastSchema = new BroadcastSchema();

/** The options of each request, and the bounds of the broadcast. */
export interface BroadcastOptions extends Omit<CallOptions, "workerId"> {
  /** Requests open at a time, 1 to 1 000 000. @defaultValue 100 */
  readonly concurrency?: number | undefined;
  /** The maximum number of workers, 1 to 1 000 000; with more, the broadcast fails. @defaultValue 10 000 */
  readonly maxWorkers?: number | undefined;
}

/** @throws UsageError that names the nearest option */
export function rejectUnknownBroadcastOptions(options: object): void {
  rejectUnknownOptions("a broadcast", SCHEMA, options);
  if (!("workerId" in options) || options.workerId === undefined) return;
  throw new UsageError("a broadcast goes to every worker and has no option workerId: use call()");
}

/** The result of one worker: the final value of its reply, or its error. */
export type BroadcastResult<Value = unknown> =
  | { readonly worker: string; readonly data: Value; readonly error?: undefined }
  | { readonly worker: string; readonly error: RequestError; readonly data?: undefined };

/** The request that every worker gets. */
export interface BroadcastRequest {
  readonly service: string;
  readonly data: unknown;
  /** Cancels it, in place of the signal among its options. */
  readonly signal: SharedSignal | undefined;
}

/** How a broadcast makes its requests: a client's `call`. */
export type Ask = <Value>(service: string, data: unknown, options: CallOptions) => Promise<Value>;

/**
 * The results of all workers, one for each, in the order of the replies. The broadcast starts by itself and may be read several
 * times. Leaving a `for await` early cancels the open requests. Reading throws if the directory cannot list the workers:
 * `UNAVAILABLE` if no directory runs.
 */
export class Broadcast<Value = unknown> implements AsyncIterable<BroadcastResult<Value>> {
  readonly #results: BroadcastResult<Value>[] = [];
  readonly #leaving = new AbortController();
  #state:
    | { readonly phase: "running" }
    | { readonly phase: "done" }
    | { readonly phase: "failed"; readonly cause: unknown } = { phase: "running" };
  #onChange: () => void = () => {};
  #change: Promise<void> = this.#nextChange();

  /** @throws UsageError for an option out of its bounds */
  constructor(ask: Ask, request: BroadcastRequest, options: BroadcastOptions) {
    const { concurrency, maxWorkers, ...callOptions } = options;
    const limits = {
      concurrency: readOption("concurrency", SCHEMA.concurrency, concurrency ?? SCHEMA.concurrency.makeDefault()),
      maxWorkers: readOption("maxWorkers", SCHEMA.maxWorkers, maxWorkers ?? SCHEMA.maxWorkers.makeDefault()),
    };
    const abortable = { onAbort: (reason: unknown): void => this.#leaving.abort(reason) };
    request.signal?.add(abortable);
    const ended = this.#run(ask, request, { ...callOptions, signal: this.#leaving.signal }, limits);
    void ended.then(() => request.signal?.delete(abortable));
  }

  /** All results, in the order of the replies. Rejects if reading them would throw. */
  async all(): Promise<BroadcastResult<Value>[]> {
    const all: BroadcastResult<Value>[] = [];
    for await (const result of this) all.push(result);
    return all;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<BroadcastResult<Value>, void, undefined> {
    try {
      for (let index = 0; ; index++) {
        while (index >= this.#results.length && this.#state.phase === "running") await this.#change;
        const result = this.#results[index];
        if (result !== undefined) {
          if (result.error) withCurrentStack(result.error);
          yield result;
        } else if (this.#state.phase === "failed") {
          const { cause } = this.#state;
          throw cause instanceof RequestError ? withCurrentStack(cause) : cause;
        } else return;
      }
    } finally {
      this.#leaving.abort();
    }
  }

  async #run(
    ask: Ask,
    { service, data }: BroadcastRequest,
    request: CallOptions,
    limits: { readonly concurrency: number; readonly maxWorkers: number },
  ): Promise<void> {
    try {
      const found = await workersOf(ask, service, request, limits.maxWorkers);
      const workers = found.values();
      // All senders share one iterator, so each worker gets one request.
      const askers = Array.from({ length: Math.min(limits.concurrency, found.length) }, async () => {
        for (const worker of workers) this.#add(await resultOf(ask, service, data, request, worker));
      });
      await Promise.all(askers);
      this.#state = { phase: "done" };
    } catch (cause) {
      this.#state = { phase: "failed", cause };
    }
    this.#onChange();
  }

  #add(result: BroadcastResult<Value>): void {
    this.#results.push(result);
    this.#onChange();
    this.#change = this.#nextChange();
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve;
    });
  }
}

async function workersOf(
  ask: Ask,
  service: string,
  request: CallOptions,
  maxWorkers: number,
): Promise<readonly string[]> {
  const { signal, timeout } = request;
  const workers = await ask<unknown>(DIRECTORY, service, { signal, timeout, failFast: true }).catch(
    (error: unknown) => {
      throw isUnavailable(error) ? noDirectory(service, error) : error;
    },
  );
  if (!isTexts(workers)) {
    const message = `a broadcast to "${service}" failed: ${DIRECTORY} did not answer with a list of workers`;
    throw new RequestError({ code: "WORKER_FAILED", message, delivery: "not-sent" });
  }
  if (workers.length > maxWorkers) {
    throw new UsageError(
      `"${service}" has ${workers.length} workers; a broadcast asks at most ${maxWorkers} (maxWorkers)`,
    );
  }
  return workers;
}

async function resultOf<Value>(
  ask: Ask,
  service: string,
  data: unknown,
  request: CallOptions,
  worker: string,
): Promise<BroadcastResult<Value>> {
  try {
    return { worker, data: await ask<Value>(service, data, { ...request, workerId: worker }) };
  } catch (error) {
    // The failure of a request to a worker that lacks what it needs, which others may have.
    const failure = error instanceof UsageError ? error.cause : error;
    if (failure instanceof RequestError) return { worker, error: failure };
    throw error;
  }
}

function isUnavailable(error: unknown): error is RequestError {
  return error instanceof RequestError && error.code === "UNAVAILABLE";
}

function noDirectory(service: string, cause: RequestError): RequestError {
  const message =
    `a broadcast to "${service}" failed: no directory (${DIRECTORY}) is running to list its workers; ` +
    "start a Directory of @pigato/directory at the broker";
  const error = new RequestError({ code: "UNAVAILABLE", message, delivery: "not-sent" });
  error.cause = cause;
  return error;
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
