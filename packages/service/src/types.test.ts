// The types of methods, with schemas of several libraries and without: what handlers and callers take and return.

import type { Client, ReplyStream, UsageError } from "@pigato/client";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expectTypeOf, test } from "vitest";
import { z } from "zod";
import {
  bytes,
  clientStream,
  duplex,
  type Handlers,
  isError,
  type MethodError,
  type RequestError,
  type Schema,
  serverStream,
  service,
  unary,
} from "./index.ts";

const ZOD = service("zod", {
  add: unary({
    input: z.object({ by: z.coerce.number<string>() }),
    output: z.date(),
    errors: { FULL: z.object({ at: z.number() }), LATE: z.string() },
  }),
  list: serverStream({ input: z.string(), chunk: z.number() }),
  load: clientStream({ chunk: z.string(), output: z.object({ rows: z.number() }) }),
  trade: duplex({ chunkIn: z.string(), chunkOut: z.boolean() }),
});
const VALIBOT = service("valibot", {
  add: unary({ input: v.object({ by: v.pipe(v.string(), v.transform(Number)) }), output: v.date() }),
  list: serverStream({ input: v.string(), chunk: v.number() }),
  load: clientStream({ chunk: v.string(), output: v.object({ rows: v.number() }) }),
  trade: duplex({ chunkIn: v.string(), chunkOut: v.boolean() }),
});
const ARKTYPE = service("arktype", {
  add: unary({ input: type({ by: "string.numeric.parse" }), output: type("Date") }),
  list: serverStream({ input: type("string"), chunk: type("number") }),
  load: clientStream({ chunk: type("string"), output: type({ rows: "number" }) }),
  trade: duplex({ chunkIn: type("string"), chunkOut: type("boolean") }),
});
const PLAIN = service("plain", {
  add: unary<{ by: string }, Date>(),
  list: serverStream<string, number>(),
  load: clientStream<string, { rows: number }>(),
  trade: duplex<string, boolean>(),
  untyped: unary(),
  ping: unary<undefined, "pong">(),
  file: unary({ input: bytes(), output: bytes() }),
});

declare const client: Client;

// No test calls this function: only its types count.
function calls() {
  return {
    zod: client.of(ZOD),
    valibot: client.of(VALIBOT),
    arktype: client.of(ARKTYPE),
    plain: client.of(PLAIN),
    validated: client.of(ZOD, { validate: true, timeout: 5 }),
  };
}
type Calls = ReturnType<typeof calls>;

describe("with zod, valibot, arktype and without schemas", () => {
  test("a caller passes what the schema takes and gets what the handler returns", () => {
    expectTypeOf<Parameters<Calls["zod"]["add"]>[0]>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<Parameters<Calls["valibot"]["add"]>[0]>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<Parameters<Calls["arktype"]["add"]>[0]>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<Parameters<Calls["plain"]["add"]>[0]>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<ReturnType<Calls["zod"]["add"]>>().toEqualTypeOf<Promise<Date>>();
    expectTypeOf<ReturnType<Calls["valibot"]["add"]>>().toEqualTypeOf<Promise<Date>>();
    expectTypeOf<ReturnType<Calls["arktype"]["add"]>>().toEqualTypeOf<Promise<Date>>();
    expectTypeOf<ReturnType<Calls["plain"]["add"]>>().toEqualTypeOf<Promise<Date>>();
    expectTypeOf<ReturnType<Calls["zod"]["list"]>>().toEqualTypeOf<ReplyStream<number>>();
    expectTypeOf<ReturnType<Calls["valibot"]["list"]>>().toEqualTypeOf<ReplyStream<number>>();
    expectTypeOf<ReturnType<Calls["arktype"]["list"]>>().toEqualTypeOf<ReplyStream<number>>();
    expectTypeOf<ReturnType<Calls["plain"]["list"]>>().toEqualTypeOf<ReplyStream<number>>();
  });

  test("a caller streams what the schema of the chunks takes", () => {
    expectTypeOf<Calls["zod"]["load"]>().toBeCallableWith(["a"]);
    expectTypeOf<Calls["valibot"]["load"]>().toBeCallableWith(["a"]);
    expectTypeOf<Calls["arktype"]["load"]>().toBeCallableWith(["a"]);
    expectTypeOf<Calls["plain"]["load"]>().toBeCallableWith(new Set(["a"]), { timeout: 5 });
    expectTypeOf<readonly string[]>().toExtend<Parameters<Calls["zod"]["load"]>[0]>();
    expectTypeOf<readonly number[]>().not.toExtend<Parameters<Calls["zod"]["load"]>[0]>();
    expectTypeOf<ReturnType<Calls["zod"]["load"]>>().toEqualTypeOf<Promise<{ rows: number }>>();
    expectTypeOf<ReturnType<Calls["valibot"]["load"]>>().toEqualTypeOf<Promise<{ rows: number }>>();
    expectTypeOf<ReturnType<Calls["arktype"]["load"]>>().toEqualTypeOf<Promise<{ rows: number }>>();
    expectTypeOf<ReturnType<Calls["plain"]["load"]>>().toEqualTypeOf<Promise<{ rows: number }>>();
    expectTypeOf<ReturnType<Calls["zod"]["trade"]>>().toEqualTypeOf<ReplyStream<boolean>>();
    expectTypeOf<ReturnType<Calls["valibot"]["trade"]>>().toEqualTypeOf<ReplyStream<boolean>>();
    expectTypeOf<ReturnType<Calls["arktype"]["trade"]>>().toEqualTypeOf<ReplyStream<boolean>>();
    expectTypeOf<ReturnType<Calls["plain"]["trade"]>>().toEqualTypeOf<ReplyStream<boolean>>();
  });

  test("a handler gets what the schema returns and returns what it takes", () => {
    expectTypeOf<Parameters<Handlers<typeof ZOD>["add"]>[0]>().toEqualTypeOf<{ by: number }>();
    expectTypeOf<Parameters<Handlers<typeof VALIBOT>["add"]>[0]>().toEqualTypeOf<{ by: number }>();
    expectTypeOf<Parameters<Handlers<typeof ARKTYPE>["add"]>[0]>().toEqualTypeOf<{ by: number }>();
    expectTypeOf<Parameters<Handlers<typeof PLAIN>["add"]>[0]>().toEqualTypeOf<{ by: string }>();
    expectTypeOf<ReturnType<Handlers<typeof ZOD>["add"]>>().toEqualTypeOf<Date | Promise<Date>>();
    expectTypeOf<ReturnType<Handlers<typeof ZOD>["list"]>>().toEqualTypeOf<AsyncIterable<number>>();
    expectTypeOf<ReturnType<Handlers<typeof PLAIN>["list"]>>().toEqualTypeOf<AsyncIterable<number>>();
    expectTypeOf<Parameters<Handlers<typeof ZOD>["load"]>[0]>().toEqualTypeOf<AsyncIterable<string>>();
    expectTypeOf<Parameters<Handlers<typeof VALIBOT>["load"]>[0]>().toEqualTypeOf<AsyncIterable<string>>();
    expectTypeOf<Parameters<Handlers<typeof ARKTYPE>["load"]>[0]>().toEqualTypeOf<AsyncIterable<string>>();
    expectTypeOf<Parameters<Handlers<typeof PLAIN>["trade"]>[0]>().toEqualTypeOf<AsyncIterable<string>>();
    expectTypeOf<ReturnType<Handlers<typeof PLAIN>["trade"]>>().toEqualTypeOf<AsyncIterable<boolean>>();
  });
});

test("input that may be undefined may be left out", () => {
  expectTypeOf<Calls["plain"]["ping"]>().toBeCallableWith();
  expectTypeOf<Calls["plain"]["untyped"]>().toBeCallableWith();
  expectTypeOf<Calls["plain"]["ping"]>().toBeCallableWith(undefined, { timeout: 5 });
  expectTypeOf<ReturnType<Calls["plain"]["ping"]>>().toEqualTypeOf<Promise<"pong">>();
  expectTypeOf<ReturnType<Calls["plain"]["untyped"]>>().toEqualTypeOf<Promise<unknown>>();
});

test("bytes are passed in any form and received as one", () => {
  expectTypeOf<Parameters<Calls["plain"]["file"]>[0]>().toEqualTypeOf<Uint8Array | ArrayBuffer | Blob>();
  expectTypeOf<ReturnType<Calls["plain"]["file"]>>().toEqualTypeOf<Promise<Uint8Array>>();
});

test("a client that validates gets what the schema returns", () => {
  const coerced = service("coerced", { at: unary({ output: z.coerce.date<string>() }) });
  const plain = () => client.of(coerced).at();
  const validated = () => client.of(coerced, { validate: true }).at();
  expectTypeOf(plain).returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf(validated).returns.toEqualTypeOf<Promise<Date>>();
});

test("errors have the codes and the data of the contract", () => {
  type Failure = NonNullable<Awaited<ReturnType<Calls["zod"]["add"]["safe"]>>[0]>;
  expectTypeOf<Failure>().toEqualTypeOf<
    MethodError<"FULL", { at: number }> | MethodError<"LATE", string> | RequestError | UsageError
  >();
  expectTypeOf<Extract<Failure, { readonly code: "LATE" }>["detail"]>().toEqualTypeOf<string>();
  const error: unknown = undefined;
  if (isError(error, ZOD.add, "FULL")) expectTypeOf(error.detail).toEqualTypeOf<{ at: number }>();
  if (isError(error, ZOD.add)) expectTypeOf(error.code).toEqualTypeOf<"FULL" | "LATE">();
  type Fail = Parameters<Handlers<typeof ZOD>["add"]>[1]["fail"];
  expectTypeOf<Fail>().toBeCallableWith("FULL", { at: 1 });
  expectTypeOf<"FULL">().toExtend<Parameters<Fail>[0]>();
  expectTypeOf<"NO">().not.toExtend<Parameters<Fail>[0]>();
});

test("a method with named types has errors if it names their type as well", () => {
  const errors = { FULL: z.object({ at: z.number() }) };
  const named = service("named", {
    add: unary<Schema<{ by: string }>, Schema<Date>, typeof errors>({ errors }),
    list: serverStream<Schema<string>, Schema<number>, typeof errors>({ errors, idempotent: true }),
  });
  expectTypeOf<Parameters<Handlers<typeof named>["add"]>[0]>().toEqualTypeOf<{ by: string }>();
  expectTypeOf<Parameters<Parameters<Handlers<typeof named>["list"]>[1]["fail"]>[0]>().toEqualTypeOf<"FULL">();
});
