// The interceptors of a host, of its services and of their methods, and how a request passes them.

import { AsyncResource } from "node:async_hooks";
import type { AnyRequest, Contract, Interceptor, Next } from "@pigato/contract";
import { HeaderMap, nameOf } from "@pigato/contract";
import {
  afterFirst,
  checkInterceptor,
  checkMethodNames,
  InterceptorChain,
  type InterceptorOwner,
  replyOf,
  requestOf,
  returnsChunks,
} from "@pigato/contract/internal";
import { isAsyncIterable } from "@pigato/protocol/internal";
import { type HostedRequest, ReplyMetadata } from "./context.ts";
import type { HostedMethod } from "./hosted-method.ts";

/** Settings of the methods of a contract at a host. */
export interface ServeOptions<Name extends string = string> {
  /** Interceptors inside of those of the host, the first outermost. @defaultValue none */
  readonly interceptors?: readonly Interceptor[] | undefined;
  /** Interceptors of single methods, inside of those of all. @defaultValue none */
  readonly methods?:
    | { readonly [Method in Name]?: { readonly interceptors?: readonly Interceptor[] | undefined } | undefined }
    | undefined;
}

export class HostInterceptors implements InterceptorOwner {
  interceptors: readonly Interceptor[] = [];
  /** By the full name of the method. */
  readonly #chains = new Map<string, InterceptorChain>();
  /** So that a host without interceptors looks up none. */
  isEmpty = true;

  /** @throws UsageError for anything but a function */
  use(interceptor: Interceptor): void {
    checkInterceptor(interceptor);
    this.interceptors = [...this.interceptors, interceptor];
    this.isEmpty = false;
  }

  /**
   * The interceptors around each method of a contract, by its full name.
   * @throws UsageError for an interceptor that is not a function, and for a method that the contract does not have
   */
  chainsOf(
    contract: Contract,
    { interceptors = [], methods = {} }: ServeOptions,
  ): ReadonlyMap<string, InterceptorChain> {
    checkMethodNames(contract, Object.keys(methods));
    const chains = new Map<string, InterceptorChain>();
    for (const name of Object.keys(contract)) {
      const own = (Object.hasOwn(methods, name) ? methods[name]?.interceptors : undefined) ?? [];
      chains.set(`${nameOf(contract)}.${name}`, new InterceptorChain(this, [...interceptors, ...own]));
    }
    return chains;
  }

  add(chains: ReadonlyMap<string, InterceptorChain>): void {
    for (const [fullName, chain] of chains) {
      this.#chains.set(fullName, chain);
      if (chain.hasOwn) this.isEmpty = false;
    }
  }

  /** `undefined` for a method without interceptors. */
  nextFor({ fullName }: HostedMethod): Next | undefined {
    if (this.isEmpty) return undefined;
    let chain = this.#chains.get(fullName);
    if (chain === undefined) {
      chain = new InterceptorChain(this, []);
      this.#chains.set(fullName, chain);
    }
    return chain.next;
  }
}

/**
 * Runs a request through interceptors.
 * @param invoke calls the handler. @returns its output
 */
export async function interceptRequest(
  next: Next,
  { request, readInput }: { readonly request: HostedRequest; readonly readInput: () => unknown },
  invoke: (request: HostedRequest, input: unknown) => unknown,
): Promise<unknown> {
  const { method, reply } = request;
  const metadata = new ReplyMetadata(reply);
  const controller = new AbortController();
  const { signal, info } = reply;
  let scope: AsyncResource | undefined;
  const abort = (): void => controller.abort(signal.reason);
  const onAbort = (): void => (scope === undefined ? abort() : scope.runInAsyncScope(abort));
  signal.addEventListener("abort", onAbort);
  if (signal.aborted) onAbort();
  const { name, definition } = method;
  const first = requestOf(
    definition?.kind ?? "unary",
    { side: "host", service: reply.service, method: name, definition, caller: info.caller },
    {
      headers: HeaderMap.from(info.headers),
      deadline: info.deadline,
      attempt: info.attempt,
      signal: controller.signal,
      readInput: once(readInput),
      async send(intercepted) {
        // Its signal aborts, and its chunks are read, in the async context that the interceptors have set.
        scope = new AsyncResource("PigatoMethod");
        const result = await invoke({ ...request, intercepted, metadata }, intercepted.input);
        const output = await outputOf(intercepted, result, scope);
        return replyOf(intercepted, output, metadata.headers, metadata.trailers);
      },
    },
  );
  try {
    const { output, headers, trailers } = await next(first);
    add(metadata.headers, headers);
    add(metadata.trailers, trailers);
    return output;
  } catch (error) {
    // Closes chunks that an interceptor left open.
    controller.abort(error);
    throw error;
  }
}

/** An interceptor may have replaced them. */
function add(headers: HeaderMap, replaced: HeaderMap): void {
  if (replaced === headers) return;
  for (const [name, value] of replaced) headers.set(name, value);
}

/** Of a stream, once its first chunk is there. */
function outputOf({ kind, signal }: AnyRequest, output: unknown, scope: AsyncResource): unknown {
  return returnsChunks(kind) && isAsyncIterable(output) ? afterFirst(inScope(output, scope), signal) : output;
}

/** The same chunks, whose generator runs in one async context, not in that of the code that reads them. */
function inScope(chunks: AsyncIterable<unknown>, scope: AsyncResource): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = scope.runInAsyncScope(() => chunks[Symbol.asyncIterator]());
      return {
        next: () => scope.runInAsyncScope(iterator.next, iterator),
        async return() {
          await scope.runInAsyncScope(() => iterator.return?.());
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** The same function, whose result is kept. */
function once<Result>(run: () => Result): () => Result {
  let kept: { readonly result: Result } | undefined;
  return () => {
    kept ??= { result: run() };
    return kept.result;
  };
}
