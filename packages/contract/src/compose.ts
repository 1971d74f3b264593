// Interceptors around a method. They are user code, so each is guarded: whatever it throws or returns fails its request alone.

import { UsageError } from "@pigato/protocol";
import { isChunks, withEnd } from "./chunks.ts";
import { type AnyReply, type AnyRequest, InterceptedRequest, type Interceptor, type Next } from "./interceptor.ts";

/** The interceptors around requests, the first outermost. Called once for many requests, because it calls each interceptor. */
export function compose(interceptors: readonly Interceptor[]): Next {
  return interceptors.reduceRight<Next>(around, InterceptedRequest.send);
}

/** @throws UsageError for a value that is not a function */
export function checkInterceptor(value: unknown): void {
  if (typeof value === "function") return;
  throw new UsageError(
    `an interceptor must be a function (next) => async (request) => next(request); got ${typeof value}`,
  );
}

function around(next: Next, interceptor: Interceptor): Next {
  const run = runnerOf(next, interceptor);
  return async (request) => {
    const reply: unknown = await run(request);
    if (isReplyTo(request, reply)) return reply;
    const { service, method } = request;
    throw new UsageError(
      `an interceptor of ${service}.${method} returned no reply: return that of next(request), or request.respond(output)`,
    );
  };
}

/** An interceptor that fails when it is called with `next` fails each request. */
function runnerOf(next: Next, interceptor: Interceptor): (request: AnyRequest) => unknown {
  try {
    const run: unknown = interceptor(next);
    if (isRunner(run)) return run;
    throw new UsageError(
      `an interceptor must return a function: (next) => async (request) => next(request); it returned ${typeof run}`,
    );
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

function isRunner(value: unknown): value is (request: AnyRequest) => unknown {
  return typeof value === "function";
}

function isReplyTo({ kind }: AnyRequest, value: unknown): value is AnyReply {
  if (typeof value !== "object" || value === null || !("output" in value)) return false;
  if (Reflect.get(value, "kind") !== kind) return false;
  return kind === "unary" || kind === "clientStream" || isChunks(value.output);
}

/**
 * The same reply, with a listener for its end: at once for a value, and after the last chunk for a stream.
 * @param listener called once: with the error, if a stream fails, and without one at its end, or when its reader stops before
 */
export function whenEnded(reply: AnyReply, listener: (failure?: { readonly error: unknown }) => void): AnyReply {
  if (reply.kind === "serverStream" || reply.kind === "duplex") {
    return { ...reply, output: withEnd(reply.output, listener) };
  }
  listener();
  return reply;
}
