import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { RequestError } from "./errors.ts";
import { errorFrom, handlerErrorOf, isHandlerError, isNestedFailure, nestedErrorOf } from "./handler-errors.ts";

describe("an error of a handler", () => {
  test("crosses the wire as its name and message, never with its stack", () => {
    expect(handlerErrorOf(new RangeError("too far"))).toStrictEqual({ name: "RangeError", message: "too far" });
  });

  test("includes a code, a detail and its own fields", () => {
    const error = Object.assign(new Error("no such file"), { code: "ENOENT", detail: { path: "/x" }, errno: -2 });
    expect(handlerErrorOf(error)).toStrictEqual({
      name: "Error",
      message: "no such file",
      code: "ENOENT",
      detail: { path: "/x" },
      errno: -2,
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

  test("leaves out fields that JSON cannot carry, and too many or too long ones", () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    const odd = { cycle, call: () => {}, big: 1n, when: new Date(0), long: "x".repeat(20_000), kept: 1 };
    const error = Object.defineProperty(Object.assign(new Error("no"), odd), "trap", {
      enumerable: true,
      get: () => {
        throw new Error("trap");
      },
    });
    expect(handlerErrorOf(error)).toStrictEqual({
      name: "Error",
      message: "no",
      when: "1970-01-01T00:00:00.000Z",
      kept: 1,
    });
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, index]));
    expect(Object.keys(Object(handlerErrorOf(Object.assign(new Error("no"), many))))).toHaveLength(2 + 32);
  });

  test("includes its stack only if that is asked for", () => {
    const error = new Error("no");
    expect(handlerErrorOf(error)).not.toHaveProperty("stack");
    expect(handlerErrorOf(error, { hasStack: true })).toHaveProperty("stack", error.stack);
  });

  test("is rebuilt with its fields", () => {
    const sent = { name: "RangeError", message: "too far", code: "E_FAR", detail: [1], limit: 5 };
    const error = errorFrom(sent);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject(sent);
    expect(error.stack).toBe("RangeError: too far");
    expect(errorFrom({ ...sent, stack: "RangeError: too far\n    at x" }).stack).toContain("at x");
  });

  test("cannot set the prototype of the rebuilt error, or run a setter", () => {
    const error = errorFrom(
      JSON.parse('{"name":"Error","message":"x","__proto__":{"bad":1},"constructor":1,"stack":5}'),
    );
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(error).not.toHaveProperty("bad");
    expect(error.stack).toBe("Error: x");
  });

  test.each([null, "x", [], { name: "x" }, { message: "x" }, { name: 1, message: "x" }])(
    "%j has not its form",
    (value) => {
      expect(isHandlerError(value)).toBe(false);
    },
  );

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
    expect(handlerErrorOf(failure("BUSY"), { hasBegun: true })).toMatchObject({
      code: "BUSY",
      delivery: "maybe-executed",
    });
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

test("a proxy that is revoked is no failure, and is passed on as it is", () => {
  const { proxy, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  expect(isNestedFailure(proxy)).toBe(false);
  expect(handlerErrorOf(proxy)).toBe(proxy);
});
