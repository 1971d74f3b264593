// How a host describes its services to tools: names, kinds, errors, and JSON Schema where the schema library can export it.

import { getOwn } from "@pigato/protocol/internal";
import { type Method, type MethodKind, SCHEMAS } from "./method.ts";
import { isBytesSchema, type Schema } from "./schema.ts";

/** The built-in methods of every service of a host. */
export const HOST_METHODS: { readonly info: string; readonly stats: string; readonly ping: string } = Object.freeze({
  info: "$info",
  stats: "$stats",
  ping: "$ping",
});

/** A JSON Schema of draft 2020-12. `{}`, which allows anything, where the schema library exports none. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A method. The schemas have the names of the contract, and describe values as they travel. */
export interface MethodDescription {
  readonly name: string;
  /** `function` for a registered one, which has no contract. */
  readonly kind: MethodKind | "function";
  readonly idempotent: boolean;
  readonly errors: Readonly<Record<string, JsonSchema>>;
  readonly input?: JsonSchema;
  readonly output?: JsonSchema;
  readonly chunk?: JsonSchema;
  readonly chunkIn?: JsonSchema;
  readonly chunkOut?: JsonSchema;
}

/** A service, as one of its hosts describes it. */
export interface ServiceDescription {
  readonly service: string;
  /** The id of the host at its broker: a request with this `workerId` reaches it. */
  readonly host: string;
  readonly methods: readonly MethodDescription[];
}

const DRAFT = "draft-2020-12";
const BYTES: JsonSchema = Object.freeze({ contentMediaType: "application/octet-stream" });
const ANYTHING: JsonSchema = Object.freeze({});

export function describeMethod(name: string, definition: Method | undefined): MethodDescription {
  if (definition === undefined) return { name, kind: "function", idempotent: false, errors: {} };
  const { kind, idempotent, errors, ...schemas } = definition;
  const described = Object.entries(schemas).flatMap(([role, schema]) =>
    schema === undefined ? [] : [[role, jsonSchemaOf(schema)] as const],
  );
  return {
    name,
    kind,
    idempotent,
    errors: Object.fromEntries(Object.entries(errors).map(([code, schema]) => [code, jsonSchemaOf(schema)])),
    ...Object.fromEntries(described),
  };
}

export function isServiceDescription(value: unknown): value is ServiceDescription {
  const methods = getOwn(value, "methods");
  return (
    typeof getOwn(value, "service") === "string" &&
    typeof getOwn(value, "host") === "string" &&
    Array.isArray(methods) &&
    methods.every(isMethodDescription)
  );
}

const KINDS: ReadonlySet<unknown> = new Set([...Object.keys(SCHEMAS), "function"]);
const ROLES: ReadonlySet<string> = new Set(Object.values(SCHEMAS).flat());

/** A schema may be anything that JSON Schema allows, references to itself included: nothing here follows them. */
function isMethodDescription(value: unknown): value is MethodDescription {
  const errors = getOwn(value, "errors");
  return (
    typeof getOwn(value, "name") === "string" &&
    KINDS.has(getOwn(value, "kind")) &&
    typeof getOwn(value, "idempotent") === "boolean" &&
    isRecord(errors) &&
    Object.values(errors).every(isRecord) &&
    [...ROLES].every((role) => isSchemaOrAbsent(getOwn(value, role)))
  );
}

function isSchemaOrAbsent(value: unknown): boolean {
  return value === undefined || isRecord(value);
}

/** Of the input of a schema: values travel before the other side converts them. */
function jsonSchemaOf(schema: Schema): JsonSchema {
  if (isBytesSchema(schema)) return BYTES;
  const converter: unknown = Reflect.get(schema["~standard"], "jsonSchema");
  if (typeof converter !== "object" || converter === null) return ANYTHING;
  try {
    // Standard JSON Schema: zod and arktype implement it. A part that JSON Schema cannot express throws.
    const convert: unknown = Reflect.get(converter, "input");
    const converted: unknown =
      typeof convert === "function" ? Reflect.apply(convert, converter, [{ target: DRAFT }]) : undefined;
    return isRecord(converted) ? converted : ANYTHING;
  } catch {
    return ANYTHING;
  }
}

function isRecord(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
