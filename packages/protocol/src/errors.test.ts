import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import {
  type Delivery,
  handlerErrorOf,
  isDelivery,
  isError,
  isFailureCode,
  isNestedFailure,
  nestedErrorOf,
  PigatoError,
  RequestError,
  reasonOf,
  UsageError,
} from "./errors.ts";

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
    expect([...codes, "REJECTED", "WORKER_FAILED", "CANCELED", "CLOSED", "INVALID"].every(isFailureCode)).toBe(true);
    expect(["not-sent", "queued", "dispatched", "maybe-executed"].every(isDelivery)).toBe(true);
  });

  test.each([undefined, null, 0, "", "busy", "toString", "__proto__", ["BUSY"]])("do not contain %j", (value) => {
    expect(isFailureCode(value)).toBe(false);
    expect(isDelivery(value)).toBe(false);
  });
});

describe("an error of a handler", () => {
  test("crosses the wire as its name and message, never with its stack", () => {
    expect(handlerErrorOf(new RangeError("too far"))).toStrictEqual({ name: "RangeError", message: "too far" });
  });

  test("includes a code and a detail", () => {
    const error = Object.assign(new Error("no such file"), { code: "ENOENT", detail: { path: "/x" }, secret: 1 });
    expect(handlerErrorOf(error)).toStrictEqual({
      name: "Error",
      message: "no such file",
      code: "ENOENT",
      detail: { path: "/x" },
    });
    expect(handlerErrorOf(Object.assign(new Error("no"), { code: 5 }))).toMatchObject({ code: 5 });
  });

  test("leaves out a code that is neither a string nor a number", () => {
    expect(handlerErrorOf(Object.assign(new Error("no"), { code: {} }))).toStrictEqual({
      name: "Error",
      message: "no",
    });
  });

  test.each(["text", 7, null, undefined])("is the value itself where the handler failed with %j", (value) => {
    expect(handlerErrorOf(value)).toBe(value);
  });

  test("of another realm crosses the wire like one of this realm", () => {
    const error: unknown = runInNewContext('Object.assign(new RangeError("too far"), { code: "E_FAR" })');
    expect(error).not.toBeInstanceOf(Error);
    expect(handlerErrorOf(error)).toStrictEqual({ name: "RangeError", message: "too far", code: "E_FAR" });
  });

  test("is the object itself if the handler made its own", () => {
    const own = { reason: "closed", stack: "kept" };
    expect(handlerErrorOf(own)).toBe(own);
  });
});

describe("the failure of a nested request", () => {
  const failure = (code: "UNAVAILABLE" | "BUSY", cause?: unknown): RequestError => {
    const error = new RequestError(
      { code, message: `it is ${code}`, delivery: "queued", detail: [1] },
      { service: code.toLowerCase(), requestId: "r7" },
    );
    error.cause = cause;
    return error;
  };

  test("P-FAIL-5: crosses the wire with its code, delivery class, request and cause", () => {
    const sent: unknown = JSON.parse(JSON.stringify(handlerErrorOf(failure("UNAVAILABLE", failure("BUSY")))));
    const busy = {
      name: "RequestError",
      message: "it is BUSY",
      code: "BUSY",
      detail: [1],
      delivery: "queued",
      service: "busy",
      requestId: "r7",
    };
    expect(sent).toEqual({
      ...busy,
      message: "it is UNAVAILABLE",
      code: "UNAVAILABLE",
      service: "unavailable",
      cause: busy,
    });
    if (!isNestedFailure(sent)) return expect.unreachable();
    const received = nestedErrorOf(sent);
    expect(received).toBeInstanceOf(RequestError);
    expect(received).toMatchObject({
      code: "UNAVAILABLE",
      delivery: "queued",
      isRetrySafe: true,
      service: "unavailable",
      detail: [1],
    });
    expect(received.cause).toMatchObject({ name: "RequestError", code: "BUSY", delivery: "queued", requestId: "r7" });
  });

  test("is not safe to retry after a part of the reply", () => {
    expect(handlerErrorOf(failure("BUSY"), true)).toMatchObject({ code: "BUSY", delivery: "maybe-executed" });
  });

  test("has at most four causes in a row, sent or received", () => {
    let error = failure("BUSY");
    for (let depth = 1; depth < 10; depth++) error = failure("BUSY", error);
    const depthOf = (value: unknown): number => (isNestedFailure(value) ? 1 + depthOf(value.cause) : 0);
    expect(depthOf(handlerErrorOf(error))).toBe(4);
    const hostile: unknown = Array.from({ length: 1000 }).reduce(
      (cause) => ({ name: "RequestError", message: "", code: "BUSY", delivery: "queued", cause }),
      undefined,
    );
    expect(isNestedFailure(hostile) && depthOf(nestedErrorOf(hostile))).toBe(4);
  });

  test.each<[string, unknown]>([
    ["an error of a handler", { name: "Error", message: "", code: "BUSY", delivery: "queued" }],
    ["an unknown code", { name: "RequestError", message: "", code: "TIRED", delivery: "queued" }],
    ["no delivery class", { name: "RequestError", message: "", code: "INVALID" }],
    ["no message", { name: "RequestError", code: "BUSY", delivery: "queued" }],
    ["null", null],
    ["text", "RequestError"],
  ])("is none with %s", (_what, value) => {
    expect(isNestedFailure(value)).toBe(false);
  });

  test("shows no cause that is not a nested failure itself", () => {
    expect(handlerErrorOf(failure("BUSY", new Error("password")))).not.toHaveProperty("cause");
    expect(handlerErrorOf(new Error("x", { cause: failure("BUSY") }))).toEqual({ name: "Error", message: "x" });
  });
});

test("a proxy that is revoked is no error, and has a reason all the same", () => {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  expect(isError(proxy)).toBe(true);
  revoke();
  expect(isError(proxy)).toBe(false);
  expect(isNestedFailure(proxy)).toBe(false);
  expect(reasonOf(proxy)).toBe("an error that cannot be shown");
  expect(handlerErrorOf(proxy)).toBe(proxy);
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
