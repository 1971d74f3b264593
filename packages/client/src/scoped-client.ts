// A client whose requests belong to something larger, such as the request that a handler works on: they end with it, share its
// deadline, and carry its headers.

import type { Contract, Methods } from "@pigato/contract";
import { HeaderMap } from "@pigato/contract";
import type { HeaderFields } from "@pigato/protocol/internal";
import { wallClock } from "@pigato/transport";
import type { ReplyStream } from "./call.ts";
import type { CallOptions } from "./call-options.ts";
import type { Api, FunctionOptions, MethodOptions, Remote } from "./methods/api.ts";

export interface CallScope {
  /** Cancels its requests when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** The latest deadline of its requests. */
  readonly deadline?: Date | undefined;
  /** Headers of all its requests. Those of a request replace them. */
  readonly headers?: HeaderFields | undefined;
}

/** The client, as a scope uses it. */
export interface ScopePort {
  call(service: string, data: unknown, options: CallOptions): Promise<unknown>;
  collect(service: string, data: unknown, options: CallOptions): Promise<unknown[]>;
  requestStream(service: string, data: unknown, options: CallOptions): ReplyStream;
  /** The methods of a contract. Kept, so that a scope costs little. */
  methodsOf(contract: Contract, options: MethodOptions | undefined): object;
  rpc(service: string, options: FunctionOptions): object;
}

/** The requests of a client, within a scope. */
export class ScopedClient {
  readonly #client: ScopePort;
  readonly #scope: CallScope;

  constructor(client: ScopePort, scope: CallScope) {
    this.#client = client;
    this.#scope = scope;
  }

  /** As that of the client. */
  call<Value = unknown>(service: string, data?: unknown, options?: CallOptions): Promise<Value>;
  call(service: string, data?: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#client.call(service, data, this.#scoped(options));
  }

  /** As that of the client. */
  collect<Value = unknown>(service: string, data?: unknown, options?: CallOptions): Promise<Value[]>;
  collect(service: string, data?: unknown, options: CallOptions = {}): Promise<unknown[]> {
    return this.#client.collect(service, data, this.#scoped(options));
  }

  /** As that of the client, with the replies as a stream. */
  request<Value = unknown>(service: string, data?: unknown, options?: CallOptions): ReplyStream<Value>;
  request(service: string, data?: unknown, options: CallOptions = {}): ReplyStream {
    return this.#client.requestStream(service, data, this.#scoped(options));
  }

  /** As that of the client. */
  of<Of extends Methods, const Options extends MethodOptions<keyof Of & string> = MethodOptions<keyof Of & string>>(
    contract: Contract<Of>,
    options?: Options,
  ): Api<Of, Options extends { readonly validate: true } ? true : false>;
  of(contract: Contract, options?: MethodOptions): object {
    const scoped: object = Object.create(null);
    for (const [name, call] of Object.entries(this.#client.methodsOf(contract, options))) {
      Object.defineProperty(scoped, name, { value: this.#method(call), enumerable: true });
    }
    return Object.freeze(scoped);
  }

  /** As that of the client. */
  rpc<Functions = Record<string, (...args: readonly unknown[]) => unknown>>(
    service: string,
    options?: FunctionOptions,
  ): Remote<Functions>;
  rpc(service: string, options: FunctionOptions = {}): object {
    return this.#client.rpc(service, this.#scoped(options));
  }

  /** The same method, whose calls have the options of the scope. */
  #method(call: unknown): unknown {
    if (!isFunction(call)) return call;
    const scoped = (input: unknown, options: CallOptions = {}): unknown => call(input, this.#scoped(options));
    const safe: unknown = Reflect.get(call, "safe");
    const method = Object.assign(scoped, { definition: Reflect.get(call, "definition") });
    if (!isFunction(safe)) return method;
    return Object.assign(method, {
      safe: (input: unknown, options: CallOptions = {}): unknown => safe(input, this.#scoped(options)),
    });
  }

  #scoped<Options extends Pick<CallOptions, "signal" | "deadline" | "headers">>(options: Options): Options {
    const { signal, deadline, headers } = this.#scope;
    return {
      ...options,
      ...(signal !== undefined && { signal: options.signal ? AbortSignal.any([signal, options.signal]) : signal }),
      ...(deadline !== undefined && { deadline: earlier(deadline, options.deadline) }),
      ...(headers !== undefined && { headers: merged(headers, options.headers) }),
    };
  }
}

function earlier(deadline: Date, own: number | Date | undefined): number | Date {
  if (own === undefined) return deadline;
  const ownAt = typeof own === "number" ? wallClock() + own : own.getTime();
  return ownAt < deadline.getTime() ? own : deadline;
}

/** Names are equal in any case. */
function merged(headers: HeaderFields, own: HeaderFields | undefined): HeaderFields {
  if (own === undefined) return headers;
  return HeaderMap.from([...Object.entries(headers), ...Object.entries(own)]).toJSON();
}

type AnyFunction = (...args: readonly unknown[]) => unknown;

function isFunction(value: unknown): value is AnyFunction {
  return typeof value === "function";
}
