// What a handler of a contract's method gets besides its input.

import type { Client, ScopedClient } from "@pigato/client";
import { type AnyRequest, type ErrorCode, type ErrorData, HeaderMap, type Method, MethodError } from "@pigato/contract";
import type { Logger } from "@pigato/peer";
import { display, type RequestId, UsageError } from "@pigato/protocol";
import { wallClock } from "@pigato/transport";
import type { Reply } from "@pigato/worker";
import { childLogger, type RequestLogger } from "./child-logger.ts";
import type { HostedMethod } from "./hosted-method.ts";

/** What the requests of a host share. */
export interface ContextPort {
  readonly logger: Logger;
  /** The names of headers that nested requests inherit, in lower case. */
  readonly inheritHeaders: readonly string[];
  client(): Client;
}

/** One request at a host. */
export interface HostedRequest {
  readonly method: HostedMethod;
  readonly requestId: RequestId;
  readonly reply: Reply;
  /** As its interceptors left it; `undefined` without interceptors. */
  readonly intercepted?: AnyRequest | undefined;
  /** What interceptors and handler add to the reply; `undefined` without interceptors. */
  readonly metadata?: ReplyMetadata | undefined;
}

/** Headers and trailers of a reply, which travel in its options. */
export class ReplyMetadata {
  readonly headers: HeaderMap = new HeaderMap();
  readonly trailers: HeaderMap = new HeaderMap();

  constructor(reply: Reply) {
    const { headers, trailers } = this;
    Object.assign(reply.opts, { headers: sentUnlessEmpty(headers), trailers: sentUnlessEmpty(trailers) });
  }
}

/** Is written as JSON when a message of the reply is sent. */
function sentUnlessEmpty(headers: HeaderMap): object {
  return { toJSON: () => (headers.size === 0 ? undefined : headers.toJSON()) };
}

/** One request, as the handler of its method sees it. */
export class Context<Of extends Method = Method> {
  readonly #request: HostedRequest;
  readonly #port: ContextPort;
  #headers: HeaderMap | undefined;
  #metadata: ReplyMetadata | undefined;
  #client: ScopedClient | undefined;
  #log: RequestLogger | undefined;

  constructor(request: HostedRequest, port: ContextPort) {
    this.#request = request;
    this.#port = port;
  }

  /** The name of the service that the client requested. */
  get service(): string {
    return this.#request.reply.service;
  }

  /** The name of the method. */
  get method(): string {
    return this.#request.method.name;
  }

  /**
   * Aborts when the request ends before its handler does. `signal.reason` is a `RequestError`, whose code says why: `CANCELED` by the caller,
   * `DEADLINE_EXCEEDED`, `CLOSED` if the client or the broker is gone, `BROKER_LOST`.
   */
  get signal(): AbortSignal {
    const { intercepted, reply } = this.#request;
    return intercepted?.signal ?? reply.signal;
  }

  /** The headers of the request. Names are equal in any case: `ctx.headers.get("Traceparent")`. */
  get headers(): HeaderMap {
    const { intercepted, reply } = this.#request;
    this.#headers ??= intercepted?.headers ?? HeaderMap.from(reply.info.headers);
    return this.#headers;
  }

  /**
   * Headers of the reply. Those that are set before its first chunk, or before its end, reach the caller's interceptors and its listener
   * `onHeaders`.
   */
  get replyHeaders(): HeaderMap {
    return this.#replyMetadata().headers;
  }

  /** Headers that follow the last chunk of the reply. They reach the caller's interceptors and its listener `onTrailers`. */
  get replyTrailers(): HeaderMap {
    return this.#replyMetadata().trailers;
  }

  /** The instant at which the request expires; `undefined` without a deadline. */
  get deadline(): Date | undefined {
    const { intercepted, reply } = this.#request;
    return intercepted === undefined ? reply.info.deadline : intercepted.deadline;
  }

  /** Milliseconds until the deadline, 0 after it; `Infinity` without one. */
  timeLeft(): number {
    const { intercepted, reply } = this.#request;
    const left = reply.info.timeLeft();
    const { deadline } = reply.info;
    if (intercepted?.deadline === undefined || intercepted.deadline === deadline) return left;
    // An interceptor moved it.
    return Math.max(0, intercepted.deadline.getTime() - wallClock());
  }

  /**
   * The identity of the caller, if the broker authenticated its connection and knows it: its user name with PLAIN over the transport
   * "zmtp". `undefined` without authentication, and over libzmq, which does not report it.
   */
  get caller(): string | undefined {
    return this.#request.reply.info.caller;
  }

  /** How often the broker has dispatched the request: 1 for the first attempt. */
  get attempt(): number {
    return this.#request.reply.info.attempt;
  }

  /**
   * The host's logger, whose records have the fields `requestId`, `service` and `method`. A child of it, if it has children as pino has. Takes
   * `(text)`, `(fields, text)` or an error. A host without the option `logger` writes no records.
   */
  get log(): RequestLogger {
    this.#log ??= childLogger(this.#port.logger, {
      requestId: display(this.#request.requestId),
      service: this.service,
      method: this.method,
    });
    return this.#log;
  }

  /**
   * A client for requests of the handler. They are canceled with this request, end at its deadline, and carry its headers that the host's
   * option `inheritHeaders` names.
   */
  get client(): ScopedClient {
    this.#client ??= this.#port.client().scoped({
      signal: this.signal,
      deadline: this.deadline,
      headers: this.#inherited(),
    });
    return this.#client;
  }

  /**
   * Ends the request with an error that the contract declares. Throws it, so nothing after it runs.
   * @throws MethodError; UsageError for a code that the method does not declare
   */
  fail<Code extends ErrorCode<Of>>(code: Code, detail: ErrorData<Of, Code>): never {
    const { definition, fullName } = this.#request.method;
    if (definition === undefined || !Object.hasOwn(definition.errors, code)) {
      throw new UsageError(`${fullName} declares no error "${code}": add it to its contract`);
    }
    throw new MethodError({ code, detail, message: `${fullName} failed with ${code}` });
  }

  #replyMetadata(): ReplyMetadata {
    this.#metadata ??= this.#request.metadata ?? new ReplyMetadata(this.#request.reply);
    return this.#metadata;
  }

  #inherited(): Record<string, string> {
    const inherited: [string, string][] = [];
    for (const name of this.#port.inheritHeaders) {
      const value = this.headers.get(name);
      if (value !== undefined) inherited.push([name, value]);
    }
    return Object.fromEntries(inherited);
  }
}
