import { describe, expect, test } from "vitest";
import { peerIdFromText } from "./ids.ts";
import {
  DEFAULT_REQUEST_OPTIONS,
  MAX_OPTIONS_BYTES,
  parseRequestOptions,
  timeoutFromWire,
  timeoutToWire,
} from "./request-options.ts";

describe("the options of a request", () => {
  test("are the defaults if none are sent", () => {
    expect(DEFAULT_REQUEST_OPTIONS).toStrictEqual({
      timeoutMs: 60_000,
      retry: false,
      worker: undefined,
      failFast: false,
      noCache: false,
      persist: false,
      notices: false,
      hasInput: false,
    });
  });

  test.each(["", "{}", "{ }", "null", "true", "1", '"text"', "[]", "undefined", "{", "\u0000", "NaN"])(
    "are the defaults for %j",
    (text) => {
      expect(parseRequestOptions(text)).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
    },
  );

  test("of the original's client mean the same in any notation", () => {
    const usual = parseRequestOptions('{"timeout":60000,"retry":0}');
    expect(usual).toStrictEqual(parseRequestOptions('{"retry":0,"timeout":60000}'));
    expect(usual).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
  });

  test("are read by their names on the wire", () => {
    const text =
      '{"timeout":5,"retry":1,"workerId":"W1","failFast":true,"nocache":1,"persist":"yes","notices":1,"input":1,"other":[1]}';
    expect(parseRequestOptions(text)).toStrictEqual({
      timeoutMs: 5,
      retry: true,
      worker: peerIdFromText("W1"),
      failFast: true,
      noCache: true,
      persist: true,
      notices: true,
      hasInput: true,
    });
  });

  test.each([
    ["retry", "retry"],
    ["failFast", "failFast"],
    ["nocache", "noCache"],
    ["persist", "persist"],
  ])("say no more by %s than %s", (field, option) => {
    expect(parseRequestOptions(`{"${field}":1}`)).toStrictEqual({ ...DEFAULT_REQUEST_OPTIONS, [option]: true });
  });

  test.each([
    ['{"method":"add","args":1}', { method: "add", hasArgs: true }],
    ['{"method":"__proto__"}', { method: "__proto__" }],
    ['{"method":"constructor","args":0}', { method: "constructor" }],
    ['{"method":"add","codec":"raw"}', { method: "add", codec: "raw", accept: "raw", inputCodec: "raw" }],
    ['{"args":1}', {}],
  ])("name a method in %s", (text, fields) => {
    expect(parseRequestOptions(text)).toStrictEqual({ ...DEFAULT_REQUEST_OPTIONS, ...fields });
  });

  test.each([
    ...['""', "1", "null", "[]", "{}", '"a\\u0000"', '"a\\n"', '"\\u007f"', '"\\u0085"', '"\\ud800"'],
    ...[`"${"m".repeat(256)}"`, `"${"ö".repeat(128)}"`, `"${"m".repeat(65_000)}"`],
  ])("have a flaw if the method is %s", (method) => {
    const flaw = "its method is not text of 1 to 255 bytes without control characters";
    expect(parseRequestOptions(`{"method":${method}}`)).toStrictEqual({ ...DEFAULT_REQUEST_OPTIONS, flaw });
  });

  test("take a method of the maximum length", () => {
    for (const method of ["m".repeat(255), "ö".repeat(127)])
      expect(parseRequestOptions(JSON.stringify({ method }))).toMatchObject({ method });
  });

  test("are set by any truthy value, as in the original", () => {
    const said = (value: string) => parseRequestOptions(`{"retry":${value}}`).retry;
    expect(["1", "true", '"0"', "{}", "-1"].map(said)).toEqual([true, true, true, true, true]);
    expect(["0", "false", '""', "null"].map(said)).toEqual([false, false, false, false]);
  });

  test.each(["7", "null", '""', '["W1"]', '{"id":"W1"}'])("name no worker by %s", (value) => {
    expect(parseRequestOptions(`{"workerId":${value}}`).worker).toBeUndefined();
  });

  test("name a worker by the UTF-8 bytes of its id", () => {
    expect(parseRequestOptions('{"workerId":"W€"}').worker).toBe("W\u00e2\u0082\u00ac");
  });

  test("are not taken from prototypes", () => {
    const text = '{"__proto__":{"retry":1,"timeout":1},"constructor":{"persist":1}}';
    expect(parseRequestOptions(text)).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
  });

  test("survive the deepest nesting that fits their bound", () => {
    const depth = MAX_OPTIONS_BYTES / 2;
    expect(parseRequestOptions("[".repeat(MAX_OPTIONS_BYTES))).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
    expect(parseRequestOptions("[".repeat(depth) + "]".repeat(depth))).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
    expect(parseRequestOptions('{"a":'.repeat(13_107))).toStrictEqual(DEFAULT_REQUEST_OPTIONS);
  });

  test("survive a number of 60 000 digits", () => {
    expect(parseRequestOptions(`{"timeout":${"9".repeat(60_000)}}`).timeoutMs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("a timeout on the wire", () => {
  test("is −1 or another negative number for never", () => {
    expect([-1, -0.5, Number.NEGATIVE_INFINITY].map(timeoutFromWire)).toEqual(Array(3).fill(Number.POSITIVE_INFINITY));
    expect(timeoutToWire(Number.POSITIVE_INFINITY)).toBe(-1);
  });

  test("is 0 for at once", () => {
    expect(timeoutFromWire(0)).toBe(0);
    expect(timeoutToWire(0)).toBe(0);
  });

  test("is its milliseconds otherwise", () => {
    expect([1, 2.5, 60_000].map(timeoutFromWire)).toEqual([1, 2.5, 60_000]);
    expect([1, 2.5, 60_000].map(timeoutToWire)).toEqual([1, 2.5, 60_000]);
  });

  test.each([undefined, null, "100", true, Number.NaN, [], {}])("is the default for %j", (value) => {
    expect(timeoutFromWire(value)).toBe(60_000);
  });

  test.each([
    ['{"codec":"raw"}', { codec: "raw", accept: "raw", inputCodec: "raw" }],
    ['{"codec":"msgpack","accept":"raw"}', { codec: "msgpack", accept: "raw", inputCodec: "raw" }],
    ['{"accept":"raw"}', { accept: "raw", inputCodec: "raw" }],
    ['{"codec":"raw","accept":"json"}', { codec: "raw" }],
    ['{"accept":"raw","inputCodec":"json"}', { accept: "raw" }],
    ['{"codec":"json"}', {}],
    ['{"codec":"Raw"}', {}],
    ['{"codec":["raw"]}', {}],
    ['{"codec":null,"accept":"msgpack"}', { accept: "msgpack", inputCodec: "msgpack" }],
  ])("P-CODEC-1: of %s have the codecs %j", (text, codecs) => {
    expect(parseRequestOptions(text)).toStrictEqual({ ...DEFAULT_REQUEST_OPTIONS, ...codecs });
  });
});
