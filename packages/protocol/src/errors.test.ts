import { describe, expect, test } from "vitest";
import {
  type Delivery,
  handlerErrorOf,
  isDelivery,
  isFailureCode,
  PigatoError,
  RequestError,
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

  test("is the object itself if the handler made its own", () => {
    const own = { reason: "closed", stack: "kept" };
    expect(handlerErrorOf(own)).toBe(own);
  });
});
