// Bounds the total time of requests, their retries included.

import { type AnyReply, type AnyRequest, type Interceptor, whenEnded } from "@pigato/contract";
import { DEADLINE_GRACE_MS, readNumber } from "@pigato/contract/internal";
import { RequestError } from "@pigato/protocol";

/**
 * Fails requests with `DEADLINE_EXCEEDED` that do not end in time: a stream, with its last chunk. Sets the deadline of the request, so that
 * everything inside this interceptor shares the time. An earlier deadline stays.
 * @throws UsageError for an invalid number
 */
export function timeout(ms: number): Interceptor {
  readNumber("timeout", ms, 0, 2_147_483_647 - DEADLINE_GRACE_MS);
  return (next) => (request) => {
    const deadline = new Date(Date.now() + ms);
    if (request.deadline !== undefined && request.deadline <= deadline) return next(request);
    return new Promise<AnyReply>((resolve, reject) => {
      const controller = new AbortController();
      const end = (): void => {
        const error = timedOut(request, ms);
        controller.abort(error);
        reject(error);
      };
      const timer = setTimeout(end, request.side === "client" ? ms + DEADLINE_GRACE_MS : ms);
      const signal = AbortSignal.any([request.signal, controller.signal]);
      next(request.with({ deadline, signal })).then(
        (reply) => resolve(whenEnded(reply, () => clearTimeout(timer))),
        (error: unknown) => {
          clearTimeout(timer);
          reject(error);
        },
      );
    });
  };
}

function timedOut({ service, method }: AnyRequest, ms: number): RequestError {
  const name = method === "" ? `"${service}"` : `"${service}" (method "${method}")`;
  const message = `request to ${name} did not end within ${ms} ms`;
  return new RequestError(
    { code: "DEADLINE_EXCEEDED", message, delivery: "maybe-executed" },
    { service, requestId: undefined },
  );
}
