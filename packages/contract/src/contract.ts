// What a service offers: its methods, with the schemas of what they take and return, and the errors that they report. A contract
// is a value that client and server share. The types of both sides follow from it.

import { UsageError } from "@pigato/protocol";
import { isFailureCode, isMethodName, nearestName } from "@pigato/protocol/internal";
import { isSchema, type Schema } from "./schema.ts";

/** Whether a method takes one value or chunks, and whether it returns one value or chunks. */
export type MethodKind = "unary" | "serverStream" | "clientStream" | "duplex";

/** The errors of a method: a code, and the schema of its data. */
export type ErrorSchemas = Readonly<Record<string, Schema>>;

/** The errors of a method that declares none. */
export type NoErrors = Readonly<Record<never, Schema>>;

interface MethodOptions<Errors extends ErrorSchemas> {
  /** The errors that a handler reports with `ctx.fail`, by their codes. */
  readonly errors?: Errors;
  /** Whether a second run has the same effect as one, so that any failure may be retried. @defaultValue false */
  readonly idempotent?: boolean;
}

/** One value in, one value out. Its schemas are `undefined` where the contract has none. */
export interface UnaryMethod<
  In extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> {
  readonly kind: "unary";
  readonly input: In | undefined;
  readonly output: Out | undefined;
  readonly errors: Errors;
  readonly idempotent: boolean;
}

/** One value in, chunks out. */
export interface ServerStreamMethod<
  In extends Schema = Schema,
  Chunk extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> {
  readonly kind: "serverStream";
  readonly input: In | undefined;
  readonly chunk: Chunk | undefined;
  readonly errors: Errors;
  readonly idempotent: boolean;
}

/** Chunks in, one value out. */
export interface ClientStreamMethod<
  Chunk extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> {
  readonly kind: "clientStream";
  readonly chunk: Chunk | undefined;
  readonly output: Out | undefined;
  readonly errors: Errors;
  readonly idempotent: boolean;
}

/** Chunks in, chunks out. */
export interface DuplexMethod<
  ChunkIn extends Schema = Schema,
  ChunkOut extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> {
  readonly kind: "duplex";
  readonly chunkIn: ChunkIn | undefined;
  readonly chunkOut: ChunkOut | undefined;
  readonly errors: Errors;
  readonly idempotent: boolean;
}

export type Method =
  | UnaryMethod<Schema, Schema, ErrorSchemas>
  | ServerStreamMethod<Schema, Schema, ErrorSchemas>
  | ClientStreamMethod<Schema, Schema, ErrorSchemas>
  | DuplexMethod<Schema, Schema, ErrorSchemas>;

export type Methods = Readonly<Record<string, Method>>;

// Registered, because a process may load two copies of this package.
const NAME: unique symbol = Symbol.for("@pigato/contract: service");

/** The methods of a service, by their names. */
export type Contract<Of extends Methods = Methods> = Of & { readonly [NAME]: string };

/**
 * A method that takes one value and returns one.
 * @typeParam In of a method without a schema: what it takes
 * @typeParam Out of a method without a schema: what it returns
 */
export function unary<In = unknown, Out = unknown>(
  definition?: MethodOptions<NoErrors> & { readonly input?: never; readonly output?: never },
): UnaryMethod<Schema<In>, Schema<Out>>;
export function unary<In extends Schema = Schema, Out extends Schema = Schema, Errors extends ErrorSchemas = NoErrors>(
  definition: MethodOptions<Errors> & { readonly input?: In; readonly output?: Out },
): UnaryMethod<In, Out, Errors>;
export function unary(
  definition: MethodOptions<ErrorSchemas> & { readonly input?: Schema; readonly output?: Schema } = {},
): UnaryMethod<Schema, Schema, ErrorSchemas> {
  checkDefinition("unary", definition);
  const { input, output } = definition;
  return Object.freeze({ kind: "unary", input, output, ...shared(definition) });
}

/** A method that takes one value and returns chunks. */
export function serverStream<In = unknown, Chunk = unknown>(
  definition?: MethodOptions<NoErrors> & { readonly input?: never; readonly chunk?: never },
): ServerStreamMethod<Schema<In>, Schema<Chunk>>;
export function serverStream<
  In extends Schema = Schema,
  Chunk extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly input?: In; readonly chunk?: Chunk },
): ServerStreamMethod<In, Chunk, Errors>;
export function serverStream(
  definition: MethodOptions<ErrorSchemas> & { readonly input?: Schema; readonly chunk?: Schema } = {},
): ServerStreamMethod<Schema, Schema, ErrorSchemas> {
  checkDefinition("serverStream", definition);
  const { input, chunk } = definition;
  return Object.freeze({ kind: "serverStream", input, chunk, ...shared(definition) });
}

/** A method that takes chunks and returns one value. */
export function clientStream<Chunk = unknown, Out = unknown>(
  definition?: MethodOptions<NoErrors> & { readonly chunk?: never; readonly output?: never },
): ClientStreamMethod<Schema<Chunk>, Schema<Out>>;
export function clientStream<
  Chunk extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly chunk?: Chunk; readonly output?: Out },
): ClientStreamMethod<Chunk, Out, Errors>;
export function clientStream(
  definition: MethodOptions<ErrorSchemas> & { readonly chunk?: Schema; readonly output?: Schema } = {},
): ClientStreamMethod<Schema, Schema, ErrorSchemas> {
  checkDefinition("clientStream", definition);
  const { chunk, output } = definition;
  return Object.freeze({ kind: "clientStream", chunk, output, ...shared(definition) });
}

/** A method that takes chunks and returns chunks. */
export function duplex<ChunkIn = unknown, ChunkOut = unknown>(
  definition?: MethodOptions<NoErrors> & { readonly chunkIn?: never; readonly chunkOut?: never },
): DuplexMethod<Schema<ChunkIn>, Schema<ChunkOut>>;
export function duplex<
  ChunkIn extends Schema = Schema,
  ChunkOut extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly chunkIn?: ChunkIn; readonly chunkOut?: ChunkOut },
): DuplexMethod<ChunkIn, ChunkOut, Errors>;
export function duplex(
  definition: MethodOptions<ErrorSchemas> & { readonly chunkIn?: Schema; readonly chunkOut?: Schema } = {},
): DuplexMethod<Schema, Schema, ErrorSchemas> {
  checkDefinition("duplex", definition);
  const { chunkIn, chunkOut } = definition;
  return Object.freeze({ kind: "duplex", chunkIn, chunkOut, ...shared(definition) });
}

/**
 * The contract of a service.
 * @param name of the service, with or without a version: `stocks@1.2.0`
 * @throws UsageError for a method name that no peer can call, see `isServedName`, and for an error code that failures have
 */
export function service<const Of extends Methods>(name: string, methods: Of): Contract<Of> {
  if (typeof name !== "string" || name === "")
    throw new UsageError("a contract needs the name of its service: pass it as the first argument of service()");
  if (typeof methods !== "object" || methods === null)
    throw new UsageError(
      `the contract of "${name}" needs its methods: pass an object of them as the second argument of service()`,
    );
  for (const [method, definition] of Object.entries(methods)) checkMethod(name, method, definition);
  return Object.freeze({ ...methods, [NAME]: name });
}

/**
 * The name of the service that a contract describes.
 * @throws UsageError for anything but a contract
 */
export function nameOf(contract: Contract): string {
  const name: unknown = typeof contract === "object" && contract !== null ? contract[NAME] : undefined;
  if (typeof name === "string") return name;
  throw new UsageError("a contract must be what service() returns: service(name, methods)");
}

/** The most characters of a name in an error message. */
const MAX_SHOWN_NAME = 64;
/** Starts the names of the methods that each host has by itself, such as `$info`. */
const RESERVED_PREFIX = "$";
/** A client with a method `then` would count as a promise, and `JSON.stringify` calls `toJSON`. */
const RESERVED: ReadonlySet<string> = new Set(["then", "toJSON", ...Object.getOwnPropertyNames(Object.prototype)]);

/**
 * Whether a host serves methods of this name: 1 to 255 bytes that start with neither `_`, for private methods, nor `$`, for those of the
 * host itself, without control characters. `then`, `toJSON` and the members of `Object.prototype` are no names.
 */
export function isServedName(name: string): boolean {
  return isMethodName(name) && !name.startsWith("_") && !name.startsWith(RESERVED_PREFIX) && !RESERVED.has(name);
}

/** The name of a method for an error message: at most 64 characters of it. */
export function shortName(name: string): string {
  return name.length > MAX_SHOWN_NAME ? `${name.slice(0, MAX_SHOWN_NAME)}…` : name;
}

function checkMethod(service: string, name: string, method: Method): void {
  if (!isServedName(name)) {
    const shown = shortName(name);
    const rule = "a name has 1 to 255 bytes, does not start with _ or $, and is no member of Object.prototype";
    throw new UsageError(`service "${service}" cannot have a method "${shown}": ${rule}`);
  }
  if (typeof method !== "object" || method === null || !KINDS.has(method.kind) || typeof method.errors !== "object") {
    throw new UsageError(
      `${service}.${name} must be a method: the result of unary(), serverStream(), clientStream() or duplex()`,
    );
  }
  const code = Object.keys(method.errors).find(isFailureCode);
  if (code === undefined) return;
  throw new UsageError(
    `${service}.${name} cannot declare the error "${code}", a code of failures: choose another code`,
  );
}

const KINDS: ReadonlySet<unknown> = new Set<MethodKind>(["unary", "serverStream", "clientStream", "duplex"]);

/** What the definition of a method may have besides its errors. */
const SCHEMAS: Readonly<Record<MethodKind, readonly string[]>> = {
  unary: ["input", "output"],
  serverStream: ["input", "chunk"],
  clientStream: ["chunk", "output"],
  duplex: ["chunkIn", "chunkOut"],
};

/** @throws UsageError for a field that methods of this kind do not have: it would have no effect */
function checkDefinition(kind: MethodKind, definition: unknown): void {
  const known = [...SCHEMAS[kind], "errors", "idempotent"];
  if (typeof definition !== "object" || definition === null || isSchema(definition)) {
    throw new UsageError(
      `${kind}() takes an object with the fields ${known.join(", ")}, such as { ${known[0]}: schema }`,
    );
  }
  const unknown = Object.keys(definition).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const hint = nearest === undefined ? `it has ${known.join(", ")}` : `did you mean "${nearest}"?`;
  throw new UsageError(`${kind}() has no field "${unknown}": ${hint}`);
}

function shared(definition: MethodOptions<ErrorSchemas>): {
  readonly errors: ErrorSchemas;
  readonly idempotent: boolean;
} {
  const { errors = {}, idempotent = false, ...schemas } = definition;
  if (typeof errors !== "object" || errors === null) {
    throw new UsageError('"errors" of a method must be an object: the schema of the data of each code');
  }
  if (typeof idempotent !== "boolean") throw new UsageError('"idempotent" of a method must be true or false');
  for (const [name, schema] of [...Object.entries(schemas), ...Object.entries(errors)]) {
    if (schema !== undefined && !isSchema(schema)) {
      throw new UsageError(`"${name}" of a method must be a schema that implements Standard Schema`);
    }
  }
  return { errors: Object.freeze({ ...errors }), idempotent };
}
