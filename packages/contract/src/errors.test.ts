import { RequestError } from "@pigato/protocol";
import { expect, expectTypeOf, test } from "vitest";
import { callerErrorOf, describeIssues, isError, MethodError, type Schema, unary } from "./index.ts";

interface Ticker {
  readonly ticker: string;
}

const TICKER: Schema<Ticker> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: Object(value) }) },
};

const QUOTE = unary({ errors: { UNKNOWN_TICKER: TICKER, HALTED: TICKER } });
const SENT = { name: "MethodError", message: "no", code: "UNKNOWN_TICKER", detail: { ticker: "ACME" } };

function failed(detail: unknown): RequestError {
  const failure = { code: "WORKER_FAILED", message: "no", delivery: "maybe-executed", detail } as const;
  return new RequestError(failure, { service: "stocks", requestId: "r1" });
}

test("an error that the method declares has its code and its data", () => {
  const error: unknown = callerErrorOf(failed(SENT), QUOTE);
  expect(error).toMatchObject({
    code: "UNKNOWN_TICKER",
    detail: { ticker: "ACME" },
    service: "stocks",
    requestId: "r1",
  });
  expect(isError(error, QUOTE, "UNKNOWN_TICKER")).toBe(true);
  expect(isError(error, QUOTE, "HALTED")).toBe(false);
  expect(isError(error, QUOTE)).toBe(true);
  if (!isError(error, QUOTE, "UNKNOWN_TICKER")) return;
  expectTypeOf(error.code).toEqualTypeOf<"UNKNOWN_TICKER">();
  expectTypeOf(error.detail).toEqualTypeOf<Ticker>();
});

test.each([
  ["another code", { ...SENT, code: "OTHER" }],
  ["a name of Object.prototype", { ...SENT, code: "constructor" }],
  ["another class", { ...SENT, name: "Error" }],
  ["a nested request", { ...SENT, service: "other", requestId: "r2" }],
  ["text", "UNKNOWN_TICKER"],
])("an error with %s stays a failure of the worker", (_what, detail) => {
  const failure = failed(detail);
  expect(callerErrorOf(failure, QUOTE)).toBe(failure);
  expect(isError(failure, QUOTE)).toBe(false);
});

test("the function that calls a method stands for it", () => {
  const error: unknown = callerErrorOf(failed(SENT), QUOTE);
  const call = Object.assign(() => {}, { definition: QUOTE });
  expect(isError(error, call, "HALTED")).toBe(false);
  if (!isError(error, call, "UNKNOWN_TICKER")) return expect.unreachable();
  expectTypeOf(error.detail).toEqualTypeOf<Ticker>();
  return undefined;
});

test("what a handler throws is the same error", () => {
  const error: unknown = new MethodError({ code: "HALTED", detail: { ticker: "ACME" }, message: "no" });
  expect(error).toMatchObject({ delivery: "maybe-executed", isRetrySafe: false });
  expect(isError(error, QUOTE, "HALTED")).toBe(true);
});

test.each([
  undefined,
  null,
  "HALTED",
  { name: "MethodError", code: "HALTED" },
  Object.assign(new Error("x"), { code: "HALTED" }),
])("%o is no error of a method", (value) => {
  expect(isError(value, QUOTE, "HALTED")).toBe(false);
});

test("issues are shown with their places, and at most three of them", () => {
  const issue = (...path: (string | number)[]) => ({ message: "expected a string", path });
  expect(describeIssues([issue("items", 3, "when"), issue()])).toBe(
    "items[3].when: expected a string; expected a string",
  );
  expect(describeIssues([issue("a"), issue("b"), issue("c"), issue("d"), issue("e")])).toMatch(/; and 2 more$/);
});
