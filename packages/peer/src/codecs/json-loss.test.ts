import { runInNewContext } from "node:vm";
import { NULL_FRAME, readText, UsageError } from "@pigato/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeJson } from "./json-loss.ts";

function textOf(value: unknown): string {
  return readText(encodeJson(value, NULL_FRAME));
}

const MSGPACK = 'use the codec "msgpack"';
const BYTES = 'use the codec "raw" for bytes alone, or "msgpack" for data with bytes';

describe("JSON", () => {
  test.each<[string, unknown, string]>([
    ["a Map", { items: [0, 1, 2, { when: new Map() }] }, `data.items[3].when, a Map: ${MSGPACK}`],
    ["a Set", [new Set([1])], `data[0], a Set: ${MSGPACK}`],
    ["NaN", { ratio: Number.NaN }, `data.ratio, NaN: ${MSGPACK}`],
    ["Infinity", [[Number.NEGATIVE_INFINITY]], `data[0][0], -Infinity: ${MSGPACK}`],
    [
      "an Error, even with fields of its own",
      Object.assign(new Error("e"), { code: "E" }),
      `data, an Error: ${MSGPACK}`,
    ],
    ["bytes", Uint8Array.of(1), `data, an Uint8Array: ${BYTES}`],
    ["an ArrayBuffer", { file: new ArrayBuffer(1) }, `data.file, an ArrayBuffer: ${BYTES}`],
    ["a typed array", [new Float64Array(1)], `data[0], a Float64Array: ${BYTES}`],
    ["a DataView", [new DataView(new ArrayBuffer(1))], `data[0], a DataView: ${BYTES}`],
    ["a BigInt", { "order-id": 1n }, `data["order-id"], a BigInt: ${MSGPACK}`],
    ["a function", { run() {} }, "data.run, a function: no codec can carry it"],
    ["a function alone", () => 1, "data, a function: no codec can carry it"],
    ["a symbol", [Symbol("s")], "data[0], a symbol: no codec can carry it"],
    ["a Promise", { now: Promise.resolve() }, "data.now, a Promise: await it"],
    ["a RegExp", [/x/], "data[0], a RegExp: send its source"],
    ["a WeakMap", [new WeakMap()], "data[0], a collection of weak references"],
    ["a Blob", [new Blob([])], "data[0], a Blob: send its bytes"],
    ["a Map of another realm", runInNewContext("[new Map()]"), `data[0], a Map: ${MSGPACK}`],
    [
      "a field of an instance",
      new (class Order {
        readonly total = Number.NaN;
      })(),
      `data.total, NaN: ${MSGPACK}`,
    ],
  ])("refuses %s, and names its place", (_name, value, place) => {
    expect(() => textOf(value)).toThrow(new UsageError(`JSON cannot carry ${place}`));
  });

  test.each<[string, unknown, string]>([
    ["a Date", { when: new Date(0) }, '{"when":"1970-01-01T00:00:00.000Z"}'],
    ["an invalid Date", [new Date(Number.NaN)], "[null]"],
    ["a Buffer", [Buffer.from("a")], '[{"type":"Buffer","data":[97]}]'],
    ["what toJSON returns", { map: Object.assign(new Map(), { toJSON: () => [1] }) }, '{"map":[1]}'],
    ["what the toJSON of a plain object returns", [{ x: Number.NaN, toJSON: () => "x" }], '["x"]'],
    ["undefined", { absent: undefined, items: [undefined] }, '{"items":[null]}'],
    ["a URL", new URL("http://a/"), '"http://a/"'],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    [
      "an instance",
      new (class Order {
        readonly total = 1;
        run(): void {}
      })(),
      '{"total":1}',
    ],
    ["an array with holes", Array(2), "[null,null]"],
    ["the same object twice", [{ a: 1 }, ...Array.from({ length: 2 }, () => SHARED)], '[{"a":1},{"s":1},{"s":1}]'],
  ])("keeps its meaning of %s", (_name, value, text) => {
    expect(textOf(value)).toBe(text);
  });

  test("reports a cycle and data that is too deep as before", () => {
    const cyclic: Record<string, unknown> = { at: [] };
    cyclic.self = cyclic;
    expect(() => textOf(cyclic)).toThrow("data cannot be written as JSON: Converting circular structure");
    expect(() => textOf({ ...cyclic, big: 1n })).toThrow("JSON cannot carry data.big, a BigInt");
  });

  test("does not blame what an object inherits", () => {
    const inherited: unknown = Object.create({ inherited: Number.NaN }, { own: { value: 1, enumerable: true } });
    expect(textOf(inherited)).toBe('{"own":1}');
  });

  test("a getter that throws when it is read again is a UsageError", () => {
    let reads = 0;
    const value = {
      get once(): number {
        reads += 1;
        if (reads > 1) throw new Error("read again");
        return 1;
      },
    };
    expect(() => textOf(value)).toThrow(new UsageError("data cannot be checked: read again"));
  });

  test("writes all that it can carry as JSON.stringify does", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(textOf(value)).toBe(JSON.stringify(value));
      }),
    );
  });
});

const SHARED = { s: 1 };
