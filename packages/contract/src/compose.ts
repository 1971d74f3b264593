// Interceptors around a method. They are user code, so each is guarded: whatever it throws or returns fails its request alone.

import { UsageError } from "@pigato/protocol";
import { isAsyncIterable } from "@pigato/protocol/internal";
import { withEnd } from "./chunks.ts";
import {
  type AnyReply,
  type AnyRequest,
  InterceptedRequest,
  type Interceptor,
  isStreamReply,
  type Next,
} from "./interceptor.ts";
import { returnsChunks } from "./method.ts";

/** The interceptors around requests, the first outermost. Called once for many requests, because it calls each interceptor. */
export function compose(interceptors: readonly Interceptor[]): Next {
  return interceptors.reduceRight<Next>(around, InterceptedRequest.send);
}

/** A client or a host. It replaces its list to add an interceptor. */
export interface InterceptorOwner {
  readonly interceptors: readonly Interceptor[];
}

/** The interceptors around one method: those of a client or host, and inside of them its own. Composed once, until a list is replaced. */
export class InterceptorChain {
  readonly #owner: InterceptorOwner;
  readonly #own: readonly Interceptor[];
  #composedFor: readonly Interceptor[] | undefined;
  #next: Next | undefined;
  #extended: WeakMap<Interceptor, InterceptorChain> | undefined;

  /** @throws UsageError for an interceptor that is not a function */
  constructor(owner: InterceptorOwner, own: readonly Interceptor[]) {
    own.forEach(checkInterceptor);
    this.#owner = owner;
    this.#own = own;
  }

  /** Whether the method has interceptors besides those of its client or host. */
  get hasOwn(): boolean {
    return this.#own.length > 0;
  }

  /** `undefined` without interceptors. */
  get next(): Next | undefined {
    const { interceptors } = this.#owner;
    if (interceptors !== this.#composedFor) {
      this.#composedFor = interceptors;
      const all = [...interceptors, ...this.#own];
      this.#next = all.length === 0 ? undefined : compose(all);
    }
    return this.#next;
  }

  /** The same chain with a further interceptor, the innermost. */
  with(interceptor: Interceptor): InterceptorChain {
    this.#extended ??= new WeakMap();
    let chain = this.#extended.get(interceptor);
    if (chain === undefined) {
      chain = new InterceptorChain(this.#owner, [...this.#own, interceptor]);
      this.#extended.set(interceptor, chain);
    }
    return chain;
  }
}

/** @throws UsageError for a value that is not a function */
export function checkInterceptor(value: unknown): void {
  if (typeof value === "function") return;
  throw new UsageError(
    `an interceptor must be a function (next) => async (request) => next(request); got ${typeof value}`,
  );
}

function around(next: Next, interceptor: Interceptor): Next {
  const run = runnerOf(handled(next), interceptor);
  return async (request) => {
    const reply: unknown = await run(request);
    if (isReplyTo(request, reply)) return reply;
    const { service, method } = request;
    const name = method === "" ? service : `${service}.${method}`;
    throw new UsageError(
      `an interceptor of ${name} returned no reply: return that of next(request), or request.respond(output)`,
    );
  };
}

/** The same, also for an interceptor that does not await it: a failure without a handler would end the process. */
function handled(next: Next): Next {
  return (request) => {
    const replied = next(request);
    replied.catch(() => {});
    return replied;
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
  return !returnsChunks(kind) || isAsyncIterable(value.output);
}

/**
 * The same reply, with a listener for its end: at once for a value, and after the last chunk for a stream.
 * @param listener called once: with the error, if a stream fails, and without one at its end, or when its reader stops before
 */
export function whenEnded(reply: AnyReply, listener: (failure?: { readonly error: unknown }) => void): AnyReply {
  if (isStreamReply(reply)) return { ...reply, output: withEnd(reply.output, listener) };
  listener();
  return reply;
}
