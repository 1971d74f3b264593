// The types that follow from a method: what its caller passes and receives, and what its handler receives and returns. They
// differ where a schema converts: the host converts what it receives, a client only if it validates.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Method } from "./method.ts";
import type { BytesSchema, Schema } from "./schema.ts";

type In<Of> = Of extends Schema ? StandardSchemaV1.InferInput<Of> : never;
type Out<Of> = Of extends Schema ? StandardSchemaV1.InferOutput<Of> : never;

/** The schema of what goes to the handler: a value, or one chunk of its input. */
type InputSchema<Of extends Method> = Of extends { readonly kind: "unary" | "serverStream" }
  ? NonNullable<Of["input"]>
  : Of extends { readonly kind: "clientStream" }
    ? NonNullable<Of["chunk"]>
    : Of extends { readonly kind: "duplex" }
      ? NonNullable<Of["chunkIn"]>
      : never;

/** The schema of what comes from the handler: a value, or one chunk of its reply. */
type OutputSchema<Of extends Method> = Of extends { readonly kind: "unary" | "clientStream" }
  ? NonNullable<Of["output"]>
  : Of extends { readonly kind: "serverStream" }
    ? NonNullable<Of["chunk"]>
    : Of extends { readonly kind: "duplex" }
      ? NonNullable<Of["chunkOut"]>
      : never;

/** What the caller of a method passes: a value, or one chunk of its input. */
export type CallerInput<Of extends Method> = In<InputSchema<Of>>;

/** What the handler of a method receives. */
export type HandlerInput<Of extends Method> = Out<InputSchema<Of>>;

/** What the handler of a method returns: a value, or one chunk of its reply. */
export type HandlerOutput<Of extends Method> = In<OutputSchema<Of>>;

/**
 * What the caller of a method receives: a value, or one chunk of the reply.
 * @typeParam IsValidated whether its client validates, and so converts as the schema says
 */
export type CallerOutput<Of extends Method, IsValidated extends boolean = false> = IsValidated extends true
  ? Out<OutputSchema<Of>>
  : OutputSchema<Of> extends BytesSchema
    ? Uint8Array
    : In<OutputSchema<Of>>;

/** The codes of the errors of a method. */
export type ErrorCode<Of extends Method> = string & keyof Of["errors"];

/** What a handler passes with an error, and its caller finds in `detail`. */
export type ErrorData<Of extends Method, Code extends ErrorCode<Of>> = In<Of["errors"][Code]>;
