import { describe, expect, test } from "vitest";
import { UsageError } from "./errors.ts";
import { readText, writeText } from "./ids.ts";
import { decodePayload, encodePayload, isUndefinedFrame, NOT_JSON, NULL_FRAME, UNDEFINED_FRAME } from "./payload.ts";

const written = (value: unknown): string => readText(encodePayload(value, UNDEFINED_FRAME));
const read = (text: string): unknown => decodePayload(writeText(text));

describe("an encoded value", () => {
  test("is JSON text in UTF-8", () => {
    expect(written({ a: [1, "é", null] })).toBe('{"a":[1,"é",null]}');
    expect(encodePayload("é", NULL_FRAME)).toHaveLength(4);
  });

  test("contains a Buffer in its classic form", () => {
    expect(written(Buffer.from("hi"))).toBe('{"type":"Buffer","data":[104,105]}');
  });

  test.each([undefined, () => 1, Symbol("s")])("is the frame for absent values if JSON has no text for it", (value) => {
    expect(encodePayload(value, NULL_FRAME)).toBe(NULL_FRAME);
    expect(encodePayload(value, UNDEFINED_FRAME)).toBe(UNDEFINED_FRAME);
  });

  test("cannot be a cycle", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodePayload(cycle, NULL_FRAME)).toThrow(UsageError);
  });

  test("cannot be a BigInt", () => {
    expect(() => encodePayload(1n, NULL_FRAME)).toThrow(/data cannot be written as JSON: .*BigInt/);
  });

  test("fails alike whatever its toJSON throws", () => {
    const throwing = (thrown: unknown) => ({
      toJSON() {
        throw thrown;
      },
    });
    expect(() => encodePayload(throwing(new Error("no")), NULL_FRAME)).toThrow("data cannot be written as JSON: no");
    expect(() => encodePayload(throwing("no"), NULL_FRAME)).toThrow(UsageError);
    expect(() => encodePayload(throwing(Object.create(null)), NULL_FRAME)).toThrow(UsageError);
  });

  test("has the thrown value as the cause of its error", () => {
    const thrown = new Error("no");
    const value = {
      toJSON() {
        throw thrown;
      },
    };
    expect(() => encodePayload(value, NULL_FRAME)).toThrow(expect.objectContaining({ cause: thrown }));
  });
});

describe("a decoded frame", () => {
  test.each(["null", "0", '"text"', '{"a":[true]}', " [1] "])("is the value of the JSON text %s", (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });

  test("is null if empty", () => {
    expect(read("")).toBeNull();
  });

  test("is undefined for the bare word", () => {
    expect(read("undefined")).toBeUndefined();
  });

  test.each(["undefined ", "{", "NaN", "'text'", "\ufeff1"])("is not JSON: %j", (text) => {
    expect(read(text)).toBe(NOT_JSON);
  });

  test("is not JSON if it is not text", () => {
    expect(decodePayload(Uint8Array.of(0xff, 0xfe))).toBe(NOT_JSON);
  });

  test("survives deep nesting", () => {
    expect(read("[".repeat(1_000_000))).toBe(NOT_JSON);
  });
});

test("only the bare word is the undefined frame", () => {
  expect(isUndefinedFrame(writeText("undefined"))).toBe(true);
  expect(["", "undefine", "undefinee", '"undefined"'].some((text) => isUndefinedFrame(writeText(text)))).toBe(false);
});
