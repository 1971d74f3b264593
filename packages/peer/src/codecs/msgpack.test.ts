import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { runInNewContext } from "node:vm";
import { UsageError } from "@pigato/protocol";
import { MALFORMED } from "@pigato/protocol/internal";
import fc from "fast-check";
import { addExtension, Packr, pack } from "msgpackr";
import { describe, expect, test } from "vitest";
import { MsgpackCodec } from "./msgpack.ts";
import { MAX_DEPTH } from "./msgpack-check.ts";

const codec = new MsgpackCodec();

function roundTrip(value: unknown): unknown {
  return codec.decode(codec.encode(value));
}

function bytes(...parts: readonly (number | string | readonly number[])[]): Uint8Array {
  return Buffer.from(parts.flatMap((part) => (typeof part === "string" ? [...Buffer.from(part)] : part)));
}

function refusalOf(value: unknown): string {
  try {
    codec.encode(value);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("the value was encoded");
}

describe("MessagePack keeps", () => {
  test.each<[string, unknown]>([
    ["a Date", new Date("2026-02-03T04:05:06.789Z")],
    ["an early Date", new Date(-12_345_678_901)],
    ["an invalid Date", new Date(Number.NaN)],
    ["NaN and Infinity", [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ["undefined", { present: undefined, items: [undefined, null] }],
    ["small and large BigInts", [0n, -1n, 2n ** 63n, -(2n ** 64n), 2n ** 2000n + 1n, -(2n ** 2000n)]],
    [
      "a Map with any keys",
      new Map<unknown, unknown>([
        ["a", 1],
        [2, new Map([[{}, []]])],
      ]),
    ],
    ["a Set", new Set([1, "two", new Set([3])])],
    ["typed arrays", [new Float64Array([1.5, Number.NaN]), new Uint16Array(3), new BigInt64Array([-1n])]],
    ["an ArrayBuffer", new Uint8Array([1, 2, 3]).buffer],
    ["a DataView", new DataView(new Uint8Array([1, 2, 3]).buffer)],
    ["text in any language", ["", "ä", "日本語", "😀".repeat(100), "x".repeat(70_000)]],
    [
      "an object with many properties",
      Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, index])),
    ],
    ["a key that is a number", { 1: "one", "-2": "two" }],
  ])("%s", (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value);
  });

  test("bytes, as a Buffer of their own", () => {
    const decoded = roundTrip({ file: Uint8Array.of(1, 2, 255) });
    expect(decoded).toEqual({ file: Buffer.from([1, 2, 255]) });
  });

  test("an Error with its name, its cause and its own fields", () => {
    const cause = Object.assign(new TypeError("inner"), { when: new Date(0) });
    const error = Object.assign(new Error("outer", { cause }), { name: "StockError", code: "E_STOCK", left: 3n });
    const decoded = roundTrip(error);
    if (!(decoded instanceof Error)) throw new Error("it is no Error");
    expect([decoded.name, decoded.message]).toEqual(["StockError", "outer"]);
    expect({ ...decoded }).toEqual({ code: "E_STOCK", left: 3n });
    expect(decoded.cause).toBeInstanceOf(TypeError);
    expect(decoded.cause).toMatchObject({ message: "inner", when: new Date(0) });
    expect(decoded.stack).not.toContain("msgpack");
  });

  test("the errors of an AggregateError", () => {
    const decoded = roundTrip(new AggregateError([new Error("one")], "several"));
    expect(decoded).toMatchObject({ message: "several", errors: [{ message: "one" }] });
  });

  test("built-in objects of another realm", () => {
    const foreign: unknown = runInNewContext("({ map: new Map([[1, 2]]), set: new Set([1]), date: new Date(5) })");
    expect(roundTrip(foreign)).toEqual({ map: new Map([[1, 2]]), set: new Set([1]), date: new Date(5) });
  });

  test("what toJSON returns, and the properties of instances", () => {
    class Money {
      readonly cents = 5;
    }
    expect(
      roundTrip({ url: new URL("http://a/"), money: new Money(), own: { toJSON: () => new Map([[1, 2]]) } }),
    ).toEqual({ url: "http://a/", money: { cents: 5 }, own: new Map([[1, 2]]) });
  });

  test("any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__") && isWellFormed(text));
        expect(JSON.stringify(roundTrip(value))).toBe(text);
      }),
    );
  });
});

describe("MessagePack refuses, and names the place of", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  test.each<[string, unknown, string]>([
    ["a function", { items: [1, { when: () => 1 }] }, "data.items[1].when, a function"],
    ["a symbol", [Symbol("s")], "data[0], a symbol"],
    ["a RegExp", { "a-b": /x/ }, 'data["a-b"], a RegExp'],
    ["a Promise", { now: Promise.resolve(1) }, "data.now, a Promise: await it"],
    ["a Blob", new Blob([]), "data, a Blob"],
    ["a value of a Map", { tags: new Map([["a", Symbol("s")]]) }, 'data.tags.get("a"), a symbol'],
    ["an item of a Set", new Set([() => 1]), "data[0], a function"],
    ["a field of an Error", Object.assign(new Error("e"), { run() {} }), "data.run, a function"],
    ["the cause of an Error", new Error("e", { cause: Symbol("s") }), "data.cause, a symbol"],
    ["a reserved name", JSON.parse('{"a":{"__proto__":1}}'), "data.a.__proto__, whose name is reserved"],
    ["text that UTF-8 cannot carry", { text: "\ud800" }, "data.text, text with half of a surrogate pair"],
    ["a very large BigInt", [2n ** 40_000n], "data[0], a BigInt"],
    ["a view of shared memory", new Uint16Array(new SharedArrayBuffer(2)).buffer, "data, a SharedArrayBuffer"],
    ["a cycle", cyclic, "levels deep, or a cycle"],
  ])("%s", (_name, value, place) => {
    expect(refusalOf(value)).toContain(place);
  });

  test("a getter that throws is a UsageError", () => {
    const value = Object.defineProperty({}, "x", {
      enumerable: true,
      get() {
        throw new Error("no");
      },
    });
    expect(refusalOf(value)).toBe("data cannot be written as MessagePack: no");
  });
});

describe("MessagePack of a hostile peer is malformed:", () => {
  const tag = [0xd4];
  test.each<[string, Uint8Array]>([
    ["nothing", bytes([])],
    ["two values", bytes([1, 2])],
    ["an array that is cut", bytes([0x92, 1])],
    ["an array of a declared length of 4 GiB", bytes([0xdd, 255, 255, 255, 255, 1])],
    ["a map of a declared length of 4 GiB", bytes([0xdf, 255, 255, 255, 255, 0xa0, 1])],
    ["text beyond the end", bytes([0xdb, 255, 255, 255, 255, 65])],
    ["bytes beyond the end", bytes([0xc6, 0, 0, 0, 9, 65])],
    ["the unused token", bytes([0xc1])],
    ["a record", bytes(tag, [0x72, 0x40, 0x91, 0xa1], "a", [1])],
    ["a record in two bytes", bytes([0xd5, 0x72, 0x40, 1, 0x91, 0xa1], "a", [1])],
    ["an identity", bytes([0xd6, 0x69, 0, 0, 0, 1, 0x90])],
    ["a reference", bytes([0xd6, 0x70, 0, 0, 0, 1])],
    ["bundled text", bytes([0xd6, 0x62, 0, 0, 0, 1, 0xa0, 0xa0])],
    ["a regular expression", bytes(tag, [0x78, 0, 0x92, 0xa1], "x", [0xa0])],
    ["an unknown extension", bytes(tag, [0x21, 0])],
    ["an extension without bytes", bytes([0xc7, 0, 0x42])],
    ["a Set of text", bytes(tag, [0x73, 0, 0xa1], "a")],
    ["a Set as bytes", bytes([0xc7, 2, 0x73, 0, 0x90])],
    ["a Map with a key alone", bytes(tag, [0x6d, 0, 0x91, 1])],
    ["an Error of a number", bytes(tag, [0x65, 0, 1])],
    ["a typed array of an unknown type", bytes([0xc7, 2, 0x74, 99, 1])],
    ["a typed array of part of an element", bytes([0xc7, 2, 0x74, 8, 1])],
    ["a date of five bytes", bytes([0xc7, 5, 0xff, 1, 2, 3, 4, 5])],
    ["a BigInt that is too large", Buffer.concat([bytes([0xc8, 0x20, 0, 0x42]), Buffer.alloc(0x2000, 1)])],
    ["a key that is a number", bytes([0x81, 1, 1])],
    ["the key __proto__", bytes([0x81, 0xa9], "__proto__", [0x80])],
    ["the key __proto__ with a longer header", bytes([0x81, 0xd9, 9], "__proto__", [0x80])],
    ["the key __proto__ with the longest header", bytes([0x81, 0xdb, 0, 0, 0, 9], "__proto__", [0x80])],
    ["arrays that are nested too deep", Buffer.concat([Buffer.alloc(MAX_DEPTH + 1, 0x91), bytes([1])])],
    ["a million nested arrays", Buffer.alloc(1_000_000, 0x91)],
    ["millions of empty objects", Buffer.concat([bytes([0xdd, 0, 0x20, 0, 0]), Buffer.alloc(0x20_0000, 0x80)])],
  ])("%s", (_name, body) => {
    expect(codec.decode(body)).toBe(MALFORMED);
  });

  test("keys that end in a reserved name are ordinary", () => {
    const key = "\u0009__proto__";
    expect(roundTrip({ [key]: 1 })).toEqual({ [key]: 1 });
    const nine = "123456789__proto__";
    expect(roundTrip({ [nine]: 1 })).toEqual({ [nine]: 1 });
  });

  test("what it can read has the depth that it can write", () => {
    let value: unknown = 1;
    for (let depth = 0; depth < MAX_DEPTH; depth++) value = [value];
    expect(roundTrip(value)).toEqual(value);
    expect(refusalOf([value])).toContain(`more than ${MAX_DEPTH} levels deep`);
  });

  test("the names of Errors are text, not functions of a table", () => {
    for (const name of ["constructor", "valueOf", "hasOwnProperty", "__proto__"]) {
      const body = bytes(tag, [0x65, 0, 0x94, 0xa0 + name.length], name, [0xa1], "m", [0xc0, 0x80]);
      const error = codec.decode(body);
      expect(error).toBeInstanceOf(Error);
      expect(error).toMatchObject({ name, message: "m" });
    }
  });

  test("an Error without parts is an Error", () => {
    expect(codec.decode(bytes(tag, [0x65, 0, 0x90]))).toBeInstanceOf(Error);
  });

  test("no bytes make it throw, and it pollutes no prototype", () => {
    const names = Object.getOwnPropertyNames(Object.prototype);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (body) => {
        codec.decode(body);
      }),
      { numRuns: 2_000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(names);
  });

  test("what was changed in one place is read or malformed", () => {
    const body = codec.encode({ a: [1, new Map([["k", new Set([1n])]])], e: new Error("x"), b: Buffer.from("yz") });
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.nat(255), (at, byte) => {
        codec.decode(Uint8Array.from(body, (old, index) => (index === at ? byte : old)));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("MessagePack", () => {
  test("reads what other implementations write", () => {
    const plain = new Packr({ useRecords: false }).pack({ a: [1, -1, 1.5, "x", true, null], b: Buffer.from("y") });
    expect(codec.decode(plain)).toEqual({ a: [1, -1, 1.5, "x", true, null], b: Buffer.from("y") });
  });

  test("has no extension of a program that uses msgpackr itself", () => {
    addExtension({ Class: Date, type: 0x21, write: () => "mine", read: () => "mine" });
    expect(roundTrip(new Date(5))).toEqual(new Date(5));
    expect(codec.decode(pack(new Date(5)))).toBe(MALFORMED);
  });

  test("does not keep the memory of a large value", () => {
    const large = codec.encode("x".repeat(1_000_000));
    expect(large.buffer.byteLength).toBeLessThan(3 * large.length);
    expect(codec.encode("small").buffer.byteLength).toBeLessThan(100_000);
  });

  test("leaves the depth of stack traces as it was", () => {
    const { stackTraceLimit } = Error;
    codec.decode(codec.encode(new Error("x")));
    codec.decode(bytes([0xc1]));
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  test("without its package, is a UsageError with the command that installs it", () => {
    const missing = Object.assign(
      () => {
        throw new Error("not found");
      },
      {
        resolve() {
          throw new Error("not found");
        },
      },
    );
    const absent = new MsgpackCodec(missing);
    expect(absent.isInstalled).toBe(false);
    expect(() => absent.encode(1)).toThrow(
      'cannot use the codec "msgpack": the package "msgpackr" is not installed: run `npm install msgpackr`',
    );
    expect(absent.decode(bytes([1]))).toBe(MALFORMED);
  });
});

function isWellFormed(text: string): boolean {
  return !/\\ud[89a-f]/i.test(text);
}

test("it is found by a program of node --eval, whose __filename is no path", { timeout: 60_000 }, async () => {
  const program = 'import("@pigato/peer").then(({ bodyCodecs }) => console.log(bodyCodecs.installed.join()))';
  const args = ["--conditions=@pigato/source", "--import", "tsx", "--eval", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname });
  expect(stdout.trim()).toBe("raw,msgpack");
});
