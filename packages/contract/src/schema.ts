// Schemas of values: anything that implements Standard Schema, such as the schemas of zod, valibot and arktype.

import { isThenable } from "@pigato/protocol/internal";
import type { StandardSchemaV1 } from "@standard-schema/spec";

/** Checks a value, and may convert it. `Input` is what it accepts, and `Output` what it returns. */
export type Schema<Input = unknown, Output = Input> = StandardSchemaV1<Input, Output>;

/** What is wrong with a value, and where: `data.items[3].when` has the path `["items", 3, "when"]`. */
export interface Issue {
  readonly message: string;
  readonly path: readonly (string | number)[];
}

export type Validated<Value> =
  | { readonly value: Value }
  /** At most `MAX_ISSUES`. */
  | { readonly issues: readonly Issue[] };

/** A failure carries at most so many issues, because a client may send any number of faults. */
const MAX_ISSUES = 16;

/** @returns a promise only if the schema is asynchronous */
export function validate<Output>(
  schema: Schema<unknown, Output>,
  value: unknown,
): Validated<Output> | Promise<Validated<Output>> {
  const result = schema["~standard"].validate(value);
  return isThenable(result) ? result.then(validatedOf) : validatedOf(result);
}

function validatedOf<Output>(result: StandardSchemaV1.Result<Output>): Validated<Output> {
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.slice(0, MAX_ISSUES).map(issueOf) };
}

function issueOf({ message, path = [] }: StandardSchemaV1.Issue): Issue {
  return { message, path: path.map(keyOf) };
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof segment === "object" ? segment.key : segment;
  // A key of a Map is any value.
  return typeof key === "number" ? key : String(key);
}

/** Whether a value implements Standard Schema. The schemas of arktype are functions. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard: unknown = Reflect.get(value, "~standard");
  return typeof standard === "object" && standard !== null && typeof Reflect.get(standard, "validate") === "function";
}

// Registered, because a process may load two copies of this package.
const BYTES: unique symbol = Symbol.for("@pigato/contract: bytes");

/** Bytes in any form that a process has them. */
export type Bytes = Uint8Array | ArrayBuffer | Blob;

/** Bytes that travel as they are, without JSON and base64. Received as a `Uint8Array`. */
export interface BytesSchema extends Schema<Bytes, Uint8Array> {
  readonly [BYTES]: true;
}

const BYTES_SCHEMA: BytesSchema = {
  [BYTES]: true,
  "~standard": {
    version: 1,
    vendor: "pigato",
    validate: readBytes,
  },
};

/** The schema of bytes: for the input, the output or the chunks of a method. */
export function bytes(): BytesSchema {
  return BYTES_SCHEMA;
}

export function isBytesSchema(schema: Schema | undefined): schema is BytesSchema {
  return schema !== undefined && BYTES in schema;
}

function readBytes(value: unknown): StandardSchemaV1.Result<Uint8Array> | Promise<StandardSchemaV1.Result<Uint8Array>> {
  if (isA(value, "Uint8Array")) return { value };
  if (isA(value, "ArrayBuffer")) return { value: new Uint8Array(value) };
  if (isA(value, "Blob")) return value.arrayBuffer().then((buffer) => ({ value: new Uint8Array(buffer) }));
  return { issues: [{ message: "expected bytes" }] };
}

interface ByteTypes {
  readonly Uint8Array: Uint8Array;
  readonly ArrayBuffer: ArrayBuffer;
  readonly Blob: Blob;
}

/** Of any realm. */
function isA<Name extends keyof ByteTypes>(value: unknown, name: Name): value is ByteTypes[Name] {
  return Object.prototype.toString.call(value) === `[object ${name}]`;
}
