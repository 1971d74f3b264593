// Bounds the requests that run at a time, so that a slow service cannot use up the memory and connections of its callers. On a host, it
// bounds a method or a service, next to the worker's `concurrency`. The counting is cockatiel's.

import { type AnyReply, type Interceptor, type Next, whenEnded } from "@pigato/contract";
import { readNumber } from "@pigato/contract/internal";
import { RequestError } from "@pigato/protocol";
import { isBulkheadRejectedError, bulkhead as newBulkhead } from "cockatiel";

export interface BulkheadOptions {
  /** Requests that may run at a time, from 1; the next one waits. */
  readonly concurrency: number;
  /** Requests, from 0, that may wait for one to end; the next one fails with `BUSY` and `not-sent`. @defaultValue 0 */
  readonly queue?: number;
}

/**
 * Bounds the requests of all methods that share this interceptor. A stream counts until its last chunk.
 * @throws UsageError for an invalid option
 */
export function bulkhead({ concurrency, queue = 0 }: BulkheadOptions): Interceptor {
  const slots = newBulkhead(
    readNumber("concurrency", concurrency, 1, Number.MAX_SAFE_INTEGER),
    readNumber("queue", queue, 0, Number.MAX_SAFE_INTEGER),
  );
  return (next) => (request) =>
    new Promise((resolve, reject) => {
      // Without the signal: cockatiel would stop its queue at a canceled request.
      slots
        .execute(() => run(next, request, resolve))
        .catch((error: unknown) => {
          if (!isBulkheadRejectedError(error)) return reject(error);
          const message = `request to "${request.service}" was not sent: ${concurrency} run and ${queue} wait, the most that its bulkhead allows`;
          const failure = { code: "BUSY", message, delivery: "not-sent" } as const;
          reject(new RequestError(failure, { service: request.service, requestId: undefined }));
        });
    });
}

/** Settles when the reply has ended. */
async function run(next: Next, request: Parameters<Next>[0], resolve: (reply: AnyReply) => void): Promise<void> {
  // It was canceled while it waited.
  request.signal.throwIfAborted();
  const reply = await next(request);
  await new Promise<void>((end) => {
    request.signal.addEventListener("abort", () => end());
    resolve(whenEnded(reply, () => end()));
  });
}
