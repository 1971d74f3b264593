import { UsageError } from "@pigato/protocol";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  bytes,
  type CallerInput,
  type CallerOutput,
  clientStream,
  duplex,
  type ErrorCode,
  type ErrorData,
  type HandlerInput,
  type HandlerOutput,
  isBytesSchema,
  nameOf,
  type Schema,
  serverStream,
  service,
  unary,
  validate,
} from "./index.ts";

/** A schema that parses a number from text. */
const NUMBER: Schema<string, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "string" && value.trim() !== "" && !Number.isNaN(Number(value))
        ? { value: Number(value) }
        : { issues: [{ message: "no number", path: ["items", { key: 3 }] }] },
  },
};

const CONTRACT = service("stocks@1.2.0", {
  quote: unary({ input: NUMBER, output: NUMBER, errors: { UNKNOWN: NUMBER }, idempotent: true }),
  untyped: unary(),
  named: unary<{ ticker: string }, number>(),
  watch: serverStream({ input: NUMBER, chunk: NUMBER }),
  load: clientStream({ chunk: bytes(), output: NUMBER }),
  trade: duplex({ chunkIn: NUMBER, chunkOut: bytes() }),
});

test("a contract has the name of its service, and its methods", () => {
  expect(nameOf(CONTRACT)).toBe("stocks@1.2.0");
  expect(Object.keys(CONTRACT)).toEqual(["quote", "untyped", "named", "watch", "load", "trade"]);
  expect(CONTRACT.quote).toMatchObject({ kind: "unary", input: NUMBER, idempotent: true });
  expect(CONTRACT.load.idempotent).toBe(false);
});

test.each([
  "",
  "_private",
  "$info",
  "then",
  "toJSON",
  "constructor",
  "toString",
  "\ud800",
  "x".repeat(256),
  "ü".repeat(128),
])("%j cannot be the name of a method", (name) => {
  expect(() => service("stocks", { [name]: unary() })).toThrow(UsageError);
});

test("a contract is refused whose parts are not of its kind", () => {
  const anything = (value: unknown) => JSON.parse(JSON.stringify(value));
  expect(() => service("", {})).toThrow("a contract needs the name of its service");
  expect(() => service("stocks", { quote: anything({}) })).toThrow("stocks.quote must be a method");
  expect(() => service("stocks", { quote: anything({ kind: "unary" }) })).toThrow("stocks.quote must be a method");
  expect(() => service("stocks", { quote: anything(1) })).toThrow("stocks.quote must be a method");
  expect(() => unary({ input: anything({}) })).toThrow('"input" of a method must be a schema');
  expect(() => unary({ errors: { NO: anything({}) } })).toThrow('"NO" of a method must be a schema');
  expect(() => service("stocks", { quote: unary({ errors: { BUSY: NUMBER } }) })).toThrow(
    'stocks.quote cannot declare the error "BUSY"',
  );
});

describe("the definition of a method", () => {
  const DEFINE = { unary, serverStream, clientStream, duplex };

  function define(kind: keyof typeof DEFINE, definition: unknown): () => unknown {
    return () => Reflect.apply(DEFINE[kind], undefined, [definition]);
  }

  test.each([
    ["unary", "inptu", '"inptu": did you mean "input"?'],
    ["unary", "chunk", '"chunk": it has input, output, errors, idempotent'],
    ["serverStream", "chunks", '"chunks": did you mean "chunk"?'],
    ["clientStream", "outptu", '"outptu": did you mean "output"?'],
    ["duplex", "chunkin", '"chunkin": did you mean "chunkIn"?'],
    ["duplex", "idempotant", '"idempotant": did you mean "idempotent"?'],
    ["unary", "eror", '"eror": did you mean "errors"?'],
  ] as const)("of %s() cannot have the field %s", (kind, field, message) => {
    expect(define(kind, { [field]: NUMBER })).toThrow(UsageError);
    expect(define(kind, { [field]: NUMBER })).toThrow(`${kind}() has no field ${message}`);
  });

  test.each([NUMBER, null, 5, "input"])("is an object: %o is none", (definition) => {
    expect(define("unary", definition)).toThrow(
      "unary() takes an object with the fields input, output, errors, idempotent, such as { input: schema }",
    );
  });

  test.each([
    [{ errors: null }, '"errors" of a method must be an object'],
    [{ errors: "NO" }, '"errors" of a method must be an object'],
    [{ idempotent: 1 }, '"idempotent" of a method must be true or false'],
  ])("has fields of their types: %o", (definition, message) => {
    expect(define("unary", definition)).toThrow(message);
  });

  test("compiles only with fields of its kind", () => {
    expectTypeOf(unary).toBeCallableWith({ input: NUMBER, errors: { NO: NUMBER }, idempotent: true });
    // With an index signature, any name would compile.
    type FieldOf<Args extends readonly unknown[]> = keyof NonNullable<Args[0]>;
    expectTypeOf<FieldOf<Parameters<typeof unary>>>().toEqualTypeOf<"input" | "output" | "errors" | "idempotent">();
    expectTypeOf<FieldOf<Parameters<typeof serverStream>>>().toEqualTypeOf<
      "input" | "chunk" | "errors" | "idempotent"
    >();
    expectTypeOf<FieldOf<Parameters<typeof clientStream>>>().toEqualTypeOf<
      "chunk" | "output" | "errors" | "idempotent"
    >();
    expectTypeOf<FieldOf<Parameters<typeof duplex>>>().toEqualTypeOf<
      "chunkIn" | "chunkOut" | "errors" | "idempotent"
    >();
    expectTypeOf<{ quote: 1 }>().not.toExtend<Parameters<typeof service>[1]>();
  });
});

test.each([undefined, null, "quote"])("a contract needs its methods: %o has none", (methods) => {
  expect(() => Reflect.apply(service, undefined, ["stocks", methods])).toThrow(
    'the contract of "stocks" needs its methods',
  );
});

test.each(["stocks", undefined, null, { quote: unary() }, () => {}])("%o is no contract", (value) => {
  const nameOfAny: (contract: never) => string = nameOf;
  expect(() => Reflect.apply(nameOfAny, undefined, [value])).toThrow("a contract must be what service() returns");
});

test("contracts and bytes are those of another copy of the package, too", async () => {
  vi.resetModules();
  const other = await import("./index.ts");
  expect(other.service).not.toBe(service);
  expect(Reflect.apply(nameOf, undefined, [other.service("stocks@1.2.0", {})])).toBe("stocks@1.2.0");
  expect(isBytesSchema(other.bytes())).toBe(true);
});

test("the types of both sides follow from the schemas", () => {
  expectTypeOf<CallerInput<typeof CONTRACT.quote>>().toEqualTypeOf<string>();
  expectTypeOf<HandlerInput<typeof CONTRACT.quote>>().toEqualTypeOf<number>();
  expectTypeOf<HandlerOutput<typeof CONTRACT.quote>>().toEqualTypeOf<string>();
  expectTypeOf<CallerOutput<typeof CONTRACT.quote>>().toEqualTypeOf<string>();
  expectTypeOf<CallerOutput<typeof CONTRACT.quote, true>>().toEqualTypeOf<number>();
  expectTypeOf<ErrorCode<typeof CONTRACT.quote>>().toEqualTypeOf<"UNKNOWN">();
  expectTypeOf<ErrorData<typeof CONTRACT.quote, "UNKNOWN">>().toEqualTypeOf<string>();
  expectTypeOf<CallerInput<typeof CONTRACT.untyped>>().toEqualTypeOf<unknown>();
  expectTypeOf<CallerInput<typeof CONTRACT.named>>().toEqualTypeOf<{ ticker: string }>();
  expectTypeOf<CallerOutput<typeof CONTRACT.named>>().toEqualTypeOf<number>();
  expectTypeOf<ErrorCode<typeof CONTRACT.named>>().toEqualTypeOf<never>();
  expectTypeOf<CallerOutput<typeof CONTRACT.watch, true>>().toEqualTypeOf<number>();
  expectTypeOf<HandlerInput<typeof CONTRACT.load>>().toEqualTypeOf<Uint8Array>();
  expectTypeOf<CallerOutput<typeof CONTRACT.trade>>().toEqualTypeOf<Uint8Array>();
});

describe("validation", () => {
  test("a valid value may be converted", () => {
    expect(validate(NUMBER, "12")).toEqual({ value: 12 });
  });

  test("an issue has a path of names and numbers", () => {
    expect(validate(NUMBER, "x")).toEqual({ issues: [{ message: "no number", path: ["items", 3] }] });
  });

  test("an asynchronous schema returns a promise", async () => {
    const slow: Schema<unknown, number> = {
      "~standard": { version: 1, vendor: "test", validate: async () => ({ value: 1 }) },
    };
    await expect(validate(slow, 0)).resolves.toEqual({ value: 1 });
  });

  test("at most 16 issues are kept", () => {
    const strict: Schema = {
      "~standard": { version: 1, vendor: "test", validate: () => ({ issues: Array(50).fill({ message: "no" }) }) },
    };
    const result = validate(strict, 0);
    expect("issues" in result && result.issues).toHaveLength(16);
  });
});

describe("bytes", () => {
  test.each([new Uint8Array([1]), Buffer.from([1]), new Uint8Array([1]).buffer, new Blob([new Uint8Array([1])])])(
    "are read from %o",
    async (value) => {
      const result = await validate(bytes(), value);
      expect("value" in result && [...result.value]).toEqual([1]);
    },
  );

  test.each(["x", [1], null, new DataView(new ArrayBuffer(1))])("are not read from %o", (value) => {
    expect(validate(bytes(), value)).toEqual({ issues: [{ message: "expected bytes", path: [] }] });
  });
});
