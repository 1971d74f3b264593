import type { RetryPolicy } from "@pigato/contract";
import { readService } from "@pigato/peer";
import { readText } from "@pigato/protocol";
import { describe, expect, expectTypeOf, test } from "vitest";
import { type CallOptions, CLASSIC_OPTIONS, encodeData, encodeRawData, resolveCallOptions } from "./call-options.ts";

const defaults = { timeout: 60_000, retry: false };

function wireOf(options: CallOptions): string {
  return resolveCallOptions(options, defaults).trailer.map(readText).join();
}

describe("the options of a request", () => {
  test("always include a timeout and a retry, as on the classic wire", () => {
    expect(wireOf({})).toBe('{"timeout":60000,"retry":0}');
    expect(resolveCallOptions({}, { timeout: Number.POSITIVE_INFINITY, retry: true }).trailer.map(readText)).toEqual([
      '{"timeout":-1,"retry":1}',
    ]);
  });

  test("carry the caller's headers to the worker in their own frame, and never the signal", () => {
    const { signal } = new AbortController();
    expect(wireOf({ timeout: 5, retry: true, headers: { Tenant: "t1", trace: "1-2" }, signal })).toBe(
      '{"timeout":5,"retry":1},headers={"tenant":"t1","trace":"1-2"}',
    );
    expect(wireOf({ headers: {} })).toBe('{"timeout":60000,"retry":0}');
  });

  test.each([
    [{ a: "1", A: "2" }, 'headers has the name "a" twice: case does not count'],
    [{ "": "1" }, 'headers must have names, and no control characters: ""'],
    [{ "a\n": "1" }, "headers must have names, and no control characters"],
    [{ a: "1\u0000" }, "headers must have names, and no control characters"],
    [{ a: "x".repeat(8_184) }, undefined],
    [{ a: "x".repeat(8_185) }, "headers of 8193 bytes as JSON cannot be sent; the most is 8192"],
  ])("are checked for what headers cannot be: %#", (headers, message) => {
    if (message === undefined) expect(wireOf({ headers })).toContain("headers=");
    else expect(() => wireOf({ headers })).toThrow(message);
  });

  test("take a deadline as a duration or as an instant, which is not in the options", () => {
    expect(wireOf({ deadline: 500 })).toBe('{"timeout":60000,"retry":0}');
    const deadline = new Date(Date.now() + 500);
    expect(resolveCallOptions({ deadline }, defaults).deadline).toBe(deadline);
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY, "1", new Date(Number.NaN)]) {
      const options: object = { deadline: wrong };
      expect(() => wireOf(options)).toThrow(
        "deadline must be a number of milliseconds from 0 to 2147483647, or a Date",
      );
    }
  });

  test("take how long a request may wait for a worker", () => {
    expect(wireOf({ acceptTimeout: 250 })).toBe('{"acceptTimeout":250,"timeout":60000,"retry":0}');
    expect(resolveCallOptions({ acceptTimeout: 0 }, defaults).options).toMatchObject({ acceptTimeoutMs: 0 });
    expect(() => wireOf({ acceptTimeout: -1 })).toThrow("acceptTimeout must be a number of milliseconds from 0");
  });

  test("take an abort signal of another realm, or of another implementation", () => {
    const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
    const options: object = { signal };
    expect(resolveCallOptions(options, defaults).signal).toBe(signal);
  });

  test("are sent in the order in which they were written", () => {
    expect(wireOf({ workerId: "w1", timeout: undefined, retry: 1, nocache: 1 })).toBe(
      '{"workerId":"w1","timeout":60000,"retry":1,"nocache":1}',
    );
  });

  test("take a number for retry, which travels as it is", () => {
    expect(wireOf({ retry: 3 })).toBe('{"retry":3,"timeout":60000}');
    expect(resolveCallOptions({ retry: 3 }, defaults).options).toMatchObject({ retry: true, maxAttempts: 3 });
    expect(resolveCallOptions({ retry: 1 }, defaults).options).toMatchObject({ retry: true, maxAttempts: undefined });
    expect(resolveCallOptions({}, { timeout: 1, retry: 2 }).options).toMatchObject({ retry: true, maxAttempts: 2 });
    expectTypeOf<CallOptions["retry"]>().toEqualTypeOf<boolean | number | RetryPolicy | undefined>();
  });

  test("name a method of the service, and say whether the data is the array of its arguments", () => {
    expect(wireOf({ method: "größe", args: true })).toBe('{"method":"größe","args":true,"timeout":60000,"retry":0}');
    for (const method of ["", "a\n", "\u0085", "\ud800", "m".repeat(256), 1]) {
      const options: object = { method };
      expect(() => wireOf(options)).toThrow(
        "method must be text of 1 to 255 bytes of UTF-8 without control characters",
      );
    }
    const options: object = { args: "yes" };
    expect(() => wireOf(options)).toThrow("args must be true, false, 0 or 1");
  });

  test("do not compile, and are a UsageError that names the nearest one, if they are misspelled", () => {
    expectTypeOf<"timeout">().toExtend<keyof CallOptions>();
    // With an index signature, any name would compile.
    expectTypeOf<"timout">().not.toExtend<keyof CallOptions>();
    const misspelled: object = { timout: 5 };
    expect(() => wireOf(misspelled)).toThrow('a request has no option "timout": did you mean "timeout"?');
    const unknown: object = { tenant: "t1" };
    expect(() => wireOf(unknown)).toThrow(
      'a request has no option "tenant": it has acceptTimeout, args, codec, deadline, ',
    );
  });

  test("of the classic package are sent unchanged, whatever their names and values", () => {
    const sent = { tenant: { id: 1 }, timeout: "5", headers: 7, workerId: "" };
    const options = { [CLASSIC_OPTIONS]: sent, timeout: 5, retry: false, workerId: undefined };
    expect(wireOf(options)).toBe('{"tenant":{"id":1},"timeout":5,"headers":7,"retry":0}');
  });

  test("contain what the broker needs", () => {
    const { options } = resolveCallOptions(
      { timeout: -1, workerId: "wörker", failFast: 1, nocache: true, persist: 0 },
      defaults,
    );
    expect(options).toEqual({
      timeoutMs: Number.POSITIVE_INFINITY,
      retry: false,
      hasInput: false,
      worker: "w\u00c3\u00b6rker",
      failFast: true,
      noCache: true,
      persist: false,
      notices: false,
    });
  });

  test.each([
    ["timeout", "5s", "timeout must be a number of milliseconds"],
    ["timeout", null, "timeout must be a number of milliseconds"],
    ["retry", -1, "retry must be true, false or an integer from 0 to 1000, not -1"],
    ["retry", 1.5, "retry must be true, false or an integer from 0 to 1000, not 1.5"],
    ["retry", 1001, "retry must be true, false or an integer from 0 to 1000, not 1001"],
    ["retry", "3", "retry must be true, false or an integer from 0 to 1000, not '3'"],
    ["workerId", "", "workerId must be text of 1 to 255 bytes of UTF-8, not ''"],
    ["workerId", "w\ud800", "workerId must be text of 1 to 255 bytes of UTF-8"],
    ["nocache", "no", "nocache must be true, false, 0 or 1, not 'no'"],
    ["signal", {}, "signal must be an AbortSignal, not {}"],
    ["headers", "tenant", "headers must be a plain object whose values are strings, not 'tenant'"],
    ["headers", { tenant: 1 }, "headers must be a plain object whose values are strings, not { tenant: 1 }"],
    ["headers", ["tenant"], "headers must be a plain object whose values are strings, not [ 'tenant' ]"],
    [
      "headers",
      new Map([["a", "b"]]),
      "headers must be a plain object whose values are strings, not Map(1) { 'a' => 'b' }",
    ],
    ["headers", new Headers({ a: "b" }), "headers must be a plain object whose values are strings, not Headers"],
    [CLASSIC_OPTIONS, { own: "x".repeat(70_000) }, "options of 70036 bytes as JSON cannot be sent; the most is 65536"],
    [CLASSIC_OPTIONS, { own: 1n }, "the options of a request cannot be written as JSON"],
  ])("reject %s: %o", (key, value, message) => {
    expect(() => resolveCallOptions({ [key]: value }, defaults)).toThrow(message);
  });
});

describe("the data of a request", () => {
  test.each([
    [0, "0"],
    [false, "false"],
    ["", '""'],
    [null, "null"],
    [undefined, "undefined"],
    ["snow ☃ and 𝄞", '"snow ☃ and 𝄞"'],
    [Buffer.from("hi"), '{"type":"Buffer","data":[104,105]}'],
  ])("%o is encoded as on the classic wire", (data, text) => {
    expect(readText(encodeData(data, undefined, true))).toBe(text);
  });

  test("is rejected if JSON cannot represent it", () => {
    expect(() => encodeData(1n, undefined, true)).toThrow("data cannot be written as JSON");
  });

  test("for Majordomo is rejected if its frame is larger than the default bound of brokers", () => {
    expect(() => encodeRawData(Buffer.alloc(64 * 1024 * 1024 + 1), false)).toThrow(
      "the data of a request cannot be sent: a frame of 67108865 bytes; the bound is 67108864 (maxFrameBytes)",
    );
  });
});

describe("the name of a service", () => {
  test("is any text of up to 255 bytes, also a property name of Object.prototype", () => {
    expect(readService("__proto__")).toBe("__proto__");
    expect(readService("größe")).toBe("gr\u00c3\u00b6\u00c3\u009fe");
    expect(readService("x".repeat(255))).toHaveLength(255);
  });

  test.each([undefined, null, 7, "", "ä".repeat(128), "half \ud800"])("is not %o", (value) => {
    expect(() => readService(value)).toThrow("the service must be text of 1 to 255 bytes");
  });
});
