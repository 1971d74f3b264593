// The types of a contract's methods as their caller sees them.

import type {
  CallerInput,
  CallerOutput,
  Interceptor,
  Method,
  MethodErrorOf,
  Methods,
  RetryPolicy,
} from "@pigato/contract";
import type { RequestError, UsageError } from "@pigato/protocol";
import type { ReplyStream } from "../call.ts";
import type { CallOptions } from "../call-options.ts";
import type { RequestInputSource } from "../input-source.ts";

/** The options of a call of a method, which the method's own name and arguments are not. */
export interface MethodCallOptions extends Omit<CallOptions, "method" | "args" | "retry" | "input"> {
  /**
   * As of a request, or a policy: then this client sends the call again after a failure that is safe to retry, and after any failure of
   * an idempotent method. Calls with the same policy object share its budget. @defaultValue the client's
   */
  readonly retry?: boolean | number | RetryPolicy | undefined;
}

/** The options of all calls of functions, or of one method. */
export interface FunctionOptions extends MethodCallOptions {
  /** Interceptors inside of those of the client, the first outermost. @defaultValue none */
  readonly interceptors?: readonly Interceptor[] | undefined;
}

/** The options of all calls through one set of methods. */
export interface MethodOptions<Name extends string = string> extends FunctionOptions {
  /**
   * Whether the client validates as well: input before it is sent, and output, which its schema then converts. A call whose input does
   * not match fails with `INVALID_ARGUMENT` and `not-sent`. @defaultValue false
   */
  readonly validate?: boolean | undefined;
  /** Options of single methods, which replace those of all. Their interceptors are inside of those of all. @defaultValue none */
  readonly methods?: { readonly [Method in Name]?: FunctionOptions | undefined } | undefined;
}

/** The methods of a contract. @typeParam IsValidated whether this side validates, and so converts */
export type Api<Of extends Methods, IsValidated extends boolean = false> = {
  readonly [Name in keyof Of & string]: MethodCall<Of[Name], IsValidated>;
};

type MethodCall<Of extends Method, IsValidated extends boolean> = Of extends { readonly kind: "unary" }
  ? UnaryCall<Of, IsValidated>
  : Of extends { readonly kind: "serverStream" }
    ? StreamCall<Of, IsValidated>
    : Of extends { readonly kind: "clientStream" }
      ? UploadCall<Of, IsValidated>
      : Of extends { readonly kind: "duplex" }
        ? DuplexCall<Of, IsValidated>
        : never;

/** Input that may be `undefined` may be left out. */
type Arguments<Of extends Method> =
  undefined extends CallerInput<Of>
    ? [input?: CallerInput<Of>, options?: MethodCallOptions]
    : [input: CallerInput<Of>, options?: MethodCallOptions];

export interface UnaryCall<Of extends Method, IsValidated extends boolean = false> {
  /** Resolves to the output. Rejects with a `MethodError` that the contract declares, or with any other failure. */
  (...args: Arguments<Of>): Promise<CallerOutput<Of, IsValidated>>;
  /** As a call, but never rejects. */
  safe(...args: Arguments<Of>): Promise<SafeResult<Of, IsValidated>>;
  /** The method of the contract. */
  readonly definition: Of;
}

export interface StreamCall<Of extends Method, IsValidated extends boolean = false> {
  /** The chunks as a stream. A failure is its error. */
  (...args: Arguments<Of>): ReplyStream<CallerOutput<Of, IsValidated>>;
  /** The method of the contract. */
  readonly definition: Of;
}

/** Streams chunks, and resolves to the output. */
export interface UploadCall<Of extends Method, IsValidated extends boolean = false> {
  /** Resolves and rejects as a unary call. A function as the source returns a new one for each attempt. */
  (chunks: RequestInputSource<CallerInput<Of>>, options?: MethodCallOptions): Promise<CallerOutput<Of, IsValidated>>;
  /** As a call, but never rejects. */
  safe(chunks: RequestInputSource<CallerInput<Of>>, options?: MethodCallOptions): Promise<SafeResult<Of, IsValidated>>;
  /** The method of the contract. */
  readonly definition: Of;
}

export interface DuplexCall<Of extends Method, IsValidated extends boolean = false> {
  /** Streams chunks, and returns the chunks of the reply as a stream. */
  (
    chunks: RequestInputSource<CallerInput<Of>>,
    options?: MethodCallOptions,
  ): ReplyStream<CallerOutput<Of, IsValidated>>;
  /** The method of the contract. */
  readonly definition: Of;
}

/** The error or the output of a call; the other one is `null` or `undefined`. */
export type SafeResult<Of extends Method, IsValidated extends boolean = false> =
  | readonly [error: null, output: CallerOutput<Of, IsValidated>]
  | readonly [error: MethodErrorOf<Of> | RequestError | UsageError, output: undefined];

/** The functions of a registered object, as `client.rpc` calls them. Functions that return chunks are left out. */
export type Remote<Functions> = {
  readonly [Name in keyof Functions as Name extends string
    ? Functions[Name] extends (...args: never[]) => AsyncIterable<unknown>
      ? never
      : Functions[Name] extends (...args: never[]) => unknown
        ? Name
        : never
    : never]: Functions[Name] extends (...args: infer Args extends readonly unknown[]) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};
