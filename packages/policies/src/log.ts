// Logs requests: one record when a request has ended.

import { type AnyRequest, type Interceptor, whenEnded } from "@pigato/contract";
import { reasonOf } from "@pigato/protocol/internal";

/** Where to log: `console`, a pino logger, or any object with these methods. */
export interface LogTarget {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

/**
 * Logs each request: a success as `info`, a failure as `warn` with its `code`. The fields are `side`, `service`, `method`, `kind`, `attempt`
 * and `durationMs`, which for a stream lasts until its last chunk. Outside of `retry()` it logs requests, inside of it attempts.
 */
export function log(logger: LogTarget): Interceptor {
  return (next) => async (request) => {
    const start = performance.now();
    try {
      const reply = await next(request);
      return whenEnded(reply, (failure) => write(logger, request, { start, failure }));
    } catch (error) {
      write(logger, request, { start, failure: { error } });
      throw error;
    }
  };
}

function write(
  logger: LogTarget,
  { side, service, method, kind, attempt }: AnyRequest,
  { start, failure }: { readonly start: number; readonly failure: { readonly error: unknown } | undefined },
): void {
  const name = method === "" ? service : `${service}.${method}`;
  const fields = { side, service, method, kind, attempt, durationMs: Math.round(performance.now() - start) };
  if (failure === undefined) return logger.info(fields, `${name} succeeded`);
  const code: unknown = Reflect.get(Object(failure.error), "code");
  logger.warn({ ...fields, code, err: failure.error }, `${name} failed: ${reasonOf(failure.error)}`);
}
