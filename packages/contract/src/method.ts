// The methods of a contract. There are four kinds, because each side sends one value or chunks.

import { UsageError } from "@pigato/protocol";
import { nearestName } from "@pigato/protocol/internal";
import { isSchema, type Schema } from "./schema.ts";

/** Kinds of methods that take one value, and that take chunks. */
export type TakesValue = "unary" | "serverStream";
export type TakesChunks = "clientStream" | "duplex";
/** Kinds of methods that return one value, and that return chunks. */
export type ReturnsValue = "unary" | "clientStream";
export type ReturnsChunks = "serverStream" | "duplex";

/** Whether a method takes one value or chunks, and whether it returns one value or chunks. */
export type MethodKind = TakesValue | TakesChunks;

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

/** A definition without schemas: type parameters say what the method takes and returns. It would lose the types of errors. */
type Unchecked<Role extends string> = Pick<MethodOptions<NoErrors>, "idempotent"> & {
  readonly [Name in Role | "errors"]?: never;
};
/** A definition as its implementation sees it. */
type AnyDefinition<Role extends string> = MethodOptions<ErrorSchemas> & { readonly [Name in Role]?: Schema };

/** What all kinds of methods have. */
interface AnyKind<Kind extends MethodKind, Errors extends ErrorSchemas> {
  readonly kind: Kind;
  readonly errors: Errors;
  readonly idempotent: boolean;
}

/** One value in, one value out. Its schemas are `undefined` where the contract has none. */
export interface UnaryMethod<
  In extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> extends AnyKind<"unary", Errors> {
  readonly input: In | undefined;
  readonly output: Out | undefined;
}

/** One value in, chunks out. */
export interface ServerStreamMethod<
  In extends Schema = Schema,
  Chunk extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> extends AnyKind<"serverStream", Errors> {
  readonly input: In | undefined;
  readonly chunk: Chunk | undefined;
}

/** Chunks in, one value out. */
export interface ClientStreamMethod<
  Chunk extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> extends AnyKind<"clientStream", Errors> {
  readonly chunk: Chunk | undefined;
  readonly output: Out | undefined;
}

/** Chunks in, chunks out. */
export interface DuplexMethod<
  ChunkIn extends Schema = Schema,
  ChunkOut extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
> extends AnyKind<"duplex", Errors> {
  readonly chunkIn: ChunkIn | undefined;
  readonly chunkOut: ChunkOut | undefined;
}

export type Method =
  | UnaryMethod<Schema, Schema, ErrorSchemas>
  | ServerStreamMethod<Schema, Schema, ErrorSchemas>
  | ClientStreamMethod<Schema, Schema, ErrorSchemas>
  | DuplexMethod<Schema, Schema, ErrorSchemas>;

/**
 * A method that takes one value and returns one.
 * @typeParam In of a method without a schema: what it takes
 * @typeParam Out of a method without a schema: what it returns
 * @throws UsageError for a field that is unknown or not of its type
 */
export function unary<In = unknown, Out = unknown>(
  definition?: Unchecked<"input" | "output">,
): UnaryMethod<Schema<In>, Schema<Out>>;
export function unary<In extends Schema = Schema, Out extends Schema = Schema, Errors extends ErrorSchemas = NoErrors>(
  definition: MethodOptions<Errors> & { readonly input?: In; readonly output?: Out },
): UnaryMethod<In, Out, Errors>;
export function unary(definition: AnyDefinition<"input" | "output"> = {}): UnaryMethod<Schema, Schema, ErrorSchemas> {
  const common = checked("unary", definition);
  const { input, output } = definition;
  return Object.freeze({ kind: "unary", input, output, ...common });
}

/** A method that takes one value and returns chunks. */
export function serverStream<In = unknown, Chunk = unknown>(
  definition?: Unchecked<"input" | "chunk">,
): ServerStreamMethod<Schema<In>, Schema<Chunk>>;
export function serverStream<
  In extends Schema = Schema,
  Chunk extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly input?: In; readonly chunk?: Chunk },
): ServerStreamMethod<In, Chunk, Errors>;
export function serverStream(
  definition: AnyDefinition<"input" | "chunk"> = {},
): ServerStreamMethod<Schema, Schema, ErrorSchemas> {
  const common = checked("serverStream", definition);
  const { input, chunk } = definition;
  return Object.freeze({ kind: "serverStream", input, chunk, ...common });
}

/** A method that takes chunks and returns one value. */
export function clientStream<Chunk = unknown, Out = unknown>(
  definition?: Unchecked<"chunk" | "output">,
): ClientStreamMethod<Schema<Chunk>, Schema<Out>>;
export function clientStream<
  Chunk extends Schema = Schema,
  Out extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly chunk?: Chunk; readonly output?: Out },
): ClientStreamMethod<Chunk, Out, Errors>;
export function clientStream(
  definition: AnyDefinition<"chunk" | "output"> = {},
): ClientStreamMethod<Schema, Schema, ErrorSchemas> {
  const common = checked("clientStream", definition);
  const { chunk, output } = definition;
  return Object.freeze({ kind: "clientStream", chunk, output, ...common });
}

/** A method that takes chunks and returns chunks. */
export function duplex<ChunkIn = unknown, ChunkOut = unknown>(
  definition?: Unchecked<"chunkIn" | "chunkOut">,
): DuplexMethod<Schema<ChunkIn>, Schema<ChunkOut>>;
export function duplex<
  ChunkIn extends Schema = Schema,
  ChunkOut extends Schema = Schema,
  Errors extends ErrorSchemas = NoErrors,
>(
  definition: MethodOptions<Errors> & { readonly chunkIn?: ChunkIn; readonly chunkOut?: ChunkOut },
): DuplexMethod<ChunkIn, ChunkOut, Errors>;
export function duplex(
  definition: AnyDefinition<"chunkIn" | "chunkOut"> = {},
): DuplexMethod<Schema, Schema, ErrorSchemas> {
  const common = checked("duplex", definition);
  const { chunkIn, chunkOut } = definition;
  return Object.freeze({ kind: "duplex", chunkIn, chunkOut, ...common });
}

/** The schemas that a method of each kind may have. */
export const SCHEMAS: Readonly<Record<MethodKind, readonly string[]>> = {
  unary: ["input", "output"],
  serverStream: ["input", "chunk"],
  clientStream: ["chunk", "output"],
  duplex: ["chunkIn", "chunkOut"],
};

const KINDS: ReadonlySet<unknown> = new Set(Object.keys(SCHEMAS));

export function isMethod(value: unknown): value is Method {
  if (typeof value !== "object" || value === null) return false;
  return KINDS.has(Reflect.get(value, "kind")) && typeof Reflect.get(value, "errors") === "object";
}

export function takesChunks(kind: MethodKind): kind is TakesChunks {
  return kind === "clientStream" || kind === "duplex";
}

export function returnsChunks(kind: MethodKind): kind is ReturnsChunks {
  return kind === "serverStream" || kind === "duplex";
}

/** The schema of the value, or of each chunk, that a handler takes. */
export function inputSchemaOf(method: Method): Schema | undefined {
  switch (method.kind) {
    case "unary":
    case "serverStream":
      return method.input;
    case "clientStream":
      return method.chunk;
    case "duplex":
      return method.chunkIn;
    default:
      return method satisfies never;
  }
}

/** The schema of the value, or of each chunk, that a handler returns. */
export function outputSchemaOf(method: Method): Schema | undefined {
  switch (method.kind) {
    case "unary":
    case "clientStream":
      return method.output;
    case "serverStream":
      return method.chunk;
    case "duplex":
      return method.chunkOut;
    default:
      return method satisfies never;
  }
}

/** @throws UsageError for a field that methods of this kind do not have: it would have no effect */
function checkFields(kind: MethodKind, definition: unknown): void {
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

/** What all kinds have in common, with defaults. @throws UsageError for a field that is unknown or not of its type */
function checked(kind: MethodKind, definition: MethodOptions<ErrorSchemas>): Pick<Method, "errors" | "idempotent"> {
  checkFields(kind, definition);
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
