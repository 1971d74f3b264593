// The types of a contract's methods as their caller sees them.

import type { CallerInput, CallerOutput, Method, MethodErrorOf, Methods } from "@pigato/contract";
import type { RequestError, UsageError } from "@pigato/protocol";
import type { ReplyStream } from "../call.ts";
import type { CallOptions } from "../call-options.ts";

/** The options of a call of a method, which the method's own name and arguments are not. */
export interface MethodCallOptions extends Omit<CallOptions, "method" | "args"> {}

/** The options of all calls through one set of methods. */
export interface MethodOptions extends MethodCallOptions {
  /**
   * Whether this side validates, too: input before it is sent, and output, which it then converts as its schema says. A call whose
   * input does not match fails with `INVALID_ARGUMENT` and `not-sent`. @defaultValue false
   */
  readonly validate?: boolean | undefined;
}

/** The methods of a contract. @typeParam IsValidated whether this side validates, and so converts */
export type Api<Of extends Methods, IsValidated extends boolean = false> = {
  readonly [Name in keyof Of & string]: MethodCall<Of[Name], IsValidated>;
};

type MethodCall<Of extends Method, IsValidated extends boolean> = Of extends { readonly kind: "unary" }
  ? UnaryCall<Of, IsValidated>
  : Of extends { readonly kind: "serverStream" }
    ? StreamCall<Of, IsValidated>
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
}

/** The chunks as a stream. A failure is its error. */
export type StreamCall<Of extends Method, IsValidated extends boolean = false> = (
  ...args: Arguments<Of>
) => ReplyStream<CallerOutput<Of, IsValidated>>;

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
    : never]: Functions[Name] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};
