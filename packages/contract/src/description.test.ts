import { expect, test } from "vitest";
import { describeMethod, isServiceDescription } from "./description.ts";
import { bytes, duplex, type Schema, serverStream, unary } from "./index.ts";

function schemaWith(jsonSchema: unknown): Schema {
  return { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }), ...Object({ jsonSchema }) } };
}

const TEXT = schemaWith({ input: ({ target }: { readonly target: string }) => ({ $schema: target, type: "string" }) });
const TEXT_SCHEMA = { $schema: "draft-2020-12", type: "string" };

test("a method is described with its kind, its errors and the JSON Schema of its values", () => {
  expect(
    describeMethod("quote", unary({ input: TEXT, output: bytes(), errors: { NO: TEXT }, idempotent: true })),
  ).toEqual({
    name: "quote",
    kind: "unary",
    idempotent: true,
    errors: { NO: TEXT_SCHEMA },
    input: TEXT_SCHEMA,
    output: { contentMediaType: "application/octet-stream" },
  });
  expect(describeMethod("trade", duplex({ chunkIn: TEXT, chunkOut: TEXT }))).toMatchObject({
    chunkIn: TEXT_SCHEMA,
    chunkOut: TEXT_SCHEMA,
  });
  expect(describeMethod("watch", serverStream())).toEqual({
    name: "watch",
    kind: "serverStream",
    idempotent: false,
    errors: {},
  });
  expect(describeMethod("run", undefined)).toEqual({ name: "run", kind: "function", idempotent: false, errors: {} });
});

test.each([
  ["no converter", undefined],
  ["one that is no object", 5],
  ["one without a function", { input: 1 }],
  ["one that returns no schema", { input: () => [] }],
  [
    "one that throws",
    {
      input: () => {
        throw new Error("a transform has no JSON Schema");
      },
    },
  ],
])("a schema with %s allows anything", (_what, converter) => {
  expect(describeMethod("run", unary({ input: schemaWith(converter) }))).toMatchObject({ input: {} });
});

const METHOD = { name: "run", kind: "unary", idempotent: false, errors: {} };

test("a description may have references of a schema to itself, and names of properties of every object", () => {
  const schema = JSON.parse('{"$ref":"#","__proto__":{"$ref":"#"},"constructor":{"prototype":1}}');
  const method = { ...METHOD, input: schema, errors: JSON.parse('{"__proto__":{}}') };
  expect(isServiceDescription({ service: "x", host: "h", methods: [METHOD, method] })).toBe(true);
});

test.each([
  null,
  "x",
  {},
  { service: "x", host: "h", methods: {} },
  ...[
    {},
    null,
    { ...METHOD, kind: "constructor" },
    { ...METHOD, idempotent: 1 },
    { ...METHOD, errors: undefined },
    { ...METHOD, errors: [] },
    { ...METHOD, errors: { NO: 1 } },
    { ...METHOD, input: "text" },
    { ...METHOD, chunkOut: [] },
    JSON.parse('{"__proto__":{"name":"run","kind":"unary","idempotent":false,"errors":{}}}'),
  ].map((method) => ({ service: "x", host: "h", methods: [METHOD, method] })),
])("%j describes no service", (value) => {
  expect(isServiceDescription(value)).toBe(false);
});
