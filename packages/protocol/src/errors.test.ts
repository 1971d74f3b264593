import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { type Delivery, isDelivery, isFailureCode, PigatoError, RequestError, reasonOf, UsageError } from "./errors.ts";
import { isError } from "./type-guards.ts";

describe("a request error", () => {
  test("has the fields of the failure", () => {
    const error = new RequestError({ code: "BUSY", message: "too much", delivery: "not-sent", detail: { bound: 5 } });
    expect(error).toBeInstanceOf(PigatoError);
    expect(error).toMatchObject({
      name: "RequestError",
      message: "too much",
      code: "BUSY",
      delivery: "not-sent",
      detail: { bound: 5 },
      service: undefined,
      requestId: undefined,
    });
    expect(String(error)).toBe("RequestError: too much");
  });

  test("contains its request, if given", () => {
    const error = new RequestError(
      { code: "CANCELED", message: "gone", delivery: "queued" },
      { service: "echo", requestId: "r1" },
    );
    expect(error).toMatchObject({ service: "echo", requestId: "r1", detail: undefined });
  });

  test("is safe to retry unless a worker may have run it", () => {
    const isSafe = (delivery: Delivery) => new RequestError({ code: "WORKER_LOST", message: "", delivery }).isRetrySafe;
    expect(isSafe("not-sent")).toBe(true);
    expect(isSafe("queued")).toBe(true);
    expect(isSafe("dispatched")).toBe(true);
    expect(isSafe("maybe-executed")).toBe(false);
  });
});

test("a usage error has one code and keeps its cause", () => {
  const cause = new Error("why");
  expect(new UsageError("wrong", { cause })).toMatchObject({
    name: "UsageError",
    code: "USAGE",
    message: "wrong",
    cause,
  });
});

describe("the closed lists", () => {
  test("contain their words", () => {
    const codes = ["UNAVAILABLE", "BUSY", "DEADLINE_EXCEEDED", "WORKER_LOST", "BROKER_LOST"];
    const others = ["REJECTED", "WORKER_FAILED", "CANCELED", "CLOSED", "INVALID", "INVALID_ARGUMENT", "UNIMPLEMENTED"];
    expect([...codes, ...others].every(isFailureCode)).toBe(true);
    expect(["not-sent", "queued", "dispatched", "maybe-executed"].every(isDelivery)).toBe(true);
  });

  test.each([undefined, null, 0, "", "busy", "toString", "__proto__", ["BUSY"]])("do not contain %j", (value) => {
    expect(isFailureCode(value)).toBe(false);
    expect(isDelivery(value)).toBe(false);
  });
});

test("a proxy that is revoked is no error, and has a reason all the same", () => {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  expect(isError(proxy)).toBe(true);
  revoke();
  expect(isError(proxy)).toBe(false);
  expect(reasonOf(proxy)).toBe("an error that cannot be shown");
});

describe("whether a value is an error", () => {
  function OldError(this: { message: string }): void {
    this.message = "old";
  }
  OldError.prototype = Object.create(Error.prototype);

  test.each([
    ["an error", new TypeError("x")],
    ["a DOMException", new DOMException("x")],
    ["an object that inherits from Error.prototype", Reflect.construct(OldError, [])],
    ["an error of another realm", runInNewContext("new Error()")],
    ["an instance of another realm's class", runInNewContext("new (class Own extends TypeError {})()")],
  ])("it is for %s", (_what, value) => {
    expect(isError(value)).toBe(true);
  });

  test.each([
    ["a record with the fields of an error", { name: "Error", message: "x", stack: "" }],
    ["an object without a prototype", Object.create(null)],
    ["an array", []],
    ["a function", () => {}],
    ["null", null],
    ["text", "Error"],
  ])("it is not for %s", (_what, value) => {
    expect(isError(value)).toBe(false);
  });
});

test.each([
  [new Error("why"), "why"],
  ["text", "text"],
  [undefined, "undefined"],
  [Object.create(null), "an error that cannot be shown"],
])("the reason of a failure is text", (error, reason) => {
  expect(reasonOf(error)).toBe(reason);
});
