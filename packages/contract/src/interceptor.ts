// What an interceptor sees: a request, and its reply. One shape for both sides and all kinds of methods:
//
//     const interceptor = (next) => async (request) => next(request);
//
// It may read and change the request, reply without `next`, call `next` again, and read and change the reply. For a stream,
// `next` resolves with the first chunk, or with the end of a stream without chunks. So a request that fails before it rejects
// `next`, whatever its kind, and a later failure is an exception of the loop that reads the chunks.

import { UsageError } from "@pigato/protocol";
import type { HeaderFields } from "@pigato/protocol/internal";
import { isAsyncIterable } from "@pigato/protocol/internal";
import { HeaderMap } from "./header-map.ts";
import {
  type Method,
  type MethodKind,
  type ReturnsChunks,
  type ReturnsValue,
  returnsChunks,
  type TakesChunks,
  type TakesValue,
  takesChunks,
} from "./method.ts";

/** What interceptors cannot change. */
export interface CallInfo {
  readonly side: "client" | "host";
  readonly service: string;
  /** Empty for a request without a method, such as one of `client.call()`. */
  readonly method: string;
  /** Of the contract; `undefined` for a method without one. */
  readonly definition: Method | undefined;
  readonly caller?: string | undefined;
}

/** What an interceptor may change. An absent field changes nothing. */
export interface RequestChanges<Input> {
  readonly input?: Input;
  /** Added to the headers of the request, in a copy. */
  readonly headers?: HeaderFields;
  readonly deadline?: Date | undefined;
  readonly attempt?: number;
  readonly signal?: AbortSignal;
}

export interface RequestState<Input> {
  readonly headers: HeaderMap;
  readonly deadline: Date | undefined;
  readonly attempt: number;
  readonly signal: AbortSignal;
  /** Decodes the input at the first call, because most interceptors do not need it. */
  readonly readInput: () => Input;
  /** Runs the request without interceptors. */
  readonly send: Next;
  /** Whether this input can be sent again. By default, a value can, and chunks cannot. */
  readonly isRepeatable?: (input: unknown) => boolean;
}

/** A request on its way to the method's handler. */
export class InterceptedRequest<Kind extends MethodKind, Input> {
  readonly kind: Kind;
  /** On which side the interceptor runs. */
  readonly side: CallInfo["side"];
  readonly service: string;
  /** Empty for a request without a method, such as one of `client.call()`. */
  readonly method: string;
  /** The method in its contract; `undefined` without a contract. */
  readonly definition: Method | undefined;
  /** At a host, the identity of the caller, as the `caller` of the context of a handler; otherwise `undefined`. */
  readonly caller: string | undefined;
  /** May be changed. */
  readonly headers: HeaderMap;
  /** The instant at which the request expires; `undefined` without a deadline. */
  readonly deadline: Date | undefined;
  /** Starts at 1. A client counts the attempts of its interceptors; a host, those of the broker. */
  readonly attempt: number;
  /** Aborts when the request ends early. */
  readonly signal: AbortSignal;
  readonly #info: CallInfo;
  readonly #readInput: () => Input;
  readonly #send: Next;
  readonly #isRepeatable: RequestState<Input>["isRepeatable"];

  /** Runs a request without interceptors. Static, so that interceptors, which get instances, do not see it. */
  static send(this: void, request: AnyRequest): Promise<AnyReply> {
    return request.#send(request);
  }

  constructor(kind: Kind, info: CallInfo, state: RequestState<Input>) {
    this.kind = kind;
    this.side = info.side;
    this.service = info.service;
    this.method = info.method;
    this.definition = info.definition;
    this.caller = info.caller;
    this.headers = state.headers;
    this.deadline = state.deadline;
    this.attempt = state.attempt;
    this.signal = state.signal;
    this.#info = info;
    this.#readInput = state.readInput;
    this.#send = state.send;
    this.#isRepeatable = state.isRepeatable;
  }

  /** Whether it may run twice, as its contract states. */
  get isIdempotent(): boolean {
    return this.definition?.idempotent === true;
  }

  /**
   * Whether `next` may get it twice. Not with chunks that can be read once only, as those of a stream: a client reads a function or an array
   * as its source again, a host none.
   */
  get canRepeat(): boolean {
    if (this.#isRepeatable !== undefined) return this.#isRepeatable(this.#readInput());
    return !takesChunks(this.kind);
  }

  /** The value, or the chunks, that the caller passes. Chunks can be read once, unless `canRepeat` is true. */
  get input(): Input {
    return this.#readInput();
  }

  /** The same request with changes, for `next`. */
  with(changes: RequestChanges<Input>): InterceptedRequest<Kind, Input> {
    const { headers, input, deadline, attempt, signal } = changes;
    return new InterceptedRequest<Kind, Input>(this.kind, this.#info, {
      headers: HeaderMap.from(headers === undefined ? this.headers : [...this.headers, ...Object.entries(headers)]),
      deadline: "deadline" in changes ? deadline : this.deadline,
      attempt: attempt ?? this.attempt,
      signal: signal ?? this.signal,
      readInput: input === undefined ? this.#readInput : () => input,
      send: this.#send,
      ...(this.#isRepeatable && { isRepeatable: this.#isRepeatable }),
    });
  }

  /**
   * A reply, for an interceptor that does not call `next`.
   * @param output a value; for a method that returns chunks, an async iterable
   * @throws UsageError for an output that is not one
   */
  respond(output: unknown, headers?: HeaderFields): AnyReply {
    return replyOf(this, output, HeaderMap.from(headers));
  }
}

/** The request of any kind of method: check its `kind`. */
export type AnyRequest =
  | InterceptedRequest<TakesValue, unknown>
  | InterceptedRequest<TakesChunks, AsyncIterable<unknown>>;

interface Reply<Kind extends MethodKind, Output> {
  readonly kind: Kind;
  readonly output: Output;
  /** Headers of the reply. */
  readonly headers: HeaderMap;
  /** Headers that follow the last chunk: complete when the output has been read. */
  readonly trailers: HeaderMap;
}

/** The reply of any kind of method: check its `kind`. To change it, copy it: `{ ...reply, output }`. */
export type AnyReply = Reply<ReturnsValue, unknown> | StreamReply;

type StreamReply = Reply<ReturnsChunks, AsyncIterable<unknown>>;

export function isStreamReply(reply: AnyReply): reply is StreamReply {
  return returnsChunks(reply.kind);
}

/** Passes a request on: to the next interceptor, and behind the last one to the method. */
export type Next = (request: AnyRequest) => Promise<AnyReply>;

/** Runs around each request. Called once for each method, and what it returns once for each request. */
export type Interceptor = (next: Next) => Next;

/**
 * Milliseconds that interceptors and policies wait after a deadline before they end a request. The client ends it first: its failure
 * states how far the request got.
 */
export const DEADLINE_GRACE_MS = 1_000;

/** The first request of a call. */
export function requestOf(kind: MethodKind, info: CallInfo, state: RequestState<unknown>): AnyRequest {
  if (!takesChunks(kind)) return new InterceptedRequest(kind, info, state);
  const { readInput } = state;
  return new InterceptedRequest(kind, info, { ...state, readInput: () => chunksOf(info, "input", readInput()) });
}

/** @throws UsageError for an output that does not suit the kind of the method */
export function replyOf(
  { kind, service, method }: { readonly kind: MethodKind; readonly service: string; readonly method: string },
  output: unknown,
  headers: HeaderMap = new HeaderMap(),
  trailers: HeaderMap = new HeaderMap(),
): AnyReply {
  if (!returnsChunks(kind)) return { kind, output, headers, trailers };
  return { kind, output: chunksOf({ service, method }, "output", output), headers, trailers };
}

function chunksOf(
  { service, method }: { readonly service: string; readonly method: string },
  what: string,
  value: unknown,
): AsyncIterable<unknown> {
  if (isAsyncIterable(value)) return value;
  throw new UsageError(`the ${what} of ${service}.${method} must be an async iterable: the method is a stream`);
}
