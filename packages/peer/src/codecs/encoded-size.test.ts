import { DEFAULT_SIZE_BOUNDS } from "@pigato/protocol/internal";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { bodyCodecs } from "./body-codecs.ts";
import { excessOfValue } from "./encoded-size.ts";

const BOUND = 1_000;
const BOUNDS = { maxFrameBytes: BOUND, maxMessageBytes: 10 * BOUND };
const EXCESS = /^data of at least [0-9]{4,} bytes; the bound is 1000 \(maxFrameBytes\)$/;

function circular(): object {
  const parent = { text: "x".repeat(400), child: {} };
  parent.child = { parent };
  return parent;
}

describe("P-SIZE-1: a value before its encoding", () => {
  test.each<[string, unknown]>([
    ["text", "x".repeat(BOUND + 1)],
    ["text within objects", { a: [{ b: "x".repeat(BOUND) }] }],
    ["a long array of numbers", new Array(501).fill(1)],
    ["a long array without items", new Array(1e9)],
    ["names", Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`${index}`.padStart(50, "x"), null]))],
    ["data of a class", Object.assign(new (class Row {})(), { text: "x".repeat(BOUND) })],
  ])("exceeds the bound: %s", (_, value) => {
    expect(excessOfValue(value, BOUNDS, undefined)).toMatch(EXCESS);
  });

  test("names the lower one of the two bounds", () => {
    const bounds = { maxFrameBytes: 2_000, maxMessageBytes: 1_000 };
    const excess = "data of at least 1001 bytes; the bound is 1000 (maxMessageBytes)";
    expect(excessOfValue("x".repeat(1_001), bounds, undefined)).toBe(excess);
    expect(excessOfValue("x".repeat(1_000), bounds, undefined)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ["values that JSON leaves out", { a: undefined, b: () => "x".repeat(BOUND), ["x".repeat(BOUND)]: undefined }],
    ["an object that decides what JSON writes", { text: "x".repeat(BOUND), toJSON: () => "short" }],
    ["what an object inherits", Object.create({ text: "x".repeat(BOUND) })],
    ["bytes, of which the error of JSON names a better codec", new Uint8Array(BOUND + 1)],
    ["a cycle, which the encoder reports", circular()],
    [
      "a getter that throws",
      {
        get text(): string {
          throw new Error("not now");
        },
      },
    ],
  ])("may be within the bound: %s", (_, value) => {
    expect(excessOfValue(value, BOUNDS, undefined)).toBeUndefined();
  });

  test("is never refused if its encoding is within the bound", () => {
    fc.assert(
      fc.property(fc.anything({ withMap: true, withSet: true, withTypedArray: true, maxDepth: 4 }), (value) => {
        for (const codec of [undefined, "msgpack"] as const) {
          const size = encodedSize(value, codec);
          if (size === undefined) continue;
          const bounds = { maxFrameBytes: size, maxMessageBytes: size };
          expect(excessOfValue(value, bounds, codec)).toBeUndefined();
        }
      }),
    );
  });

  test("counts the bytes, maps and sets that MessagePack keeps", () => {
    for (const value of [new Uint8Array(1_001), new Map([["a", "x".repeat(1_000)]]), new Set(["x".repeat(1_001)])]) {
      expect(excessOfValue([value], BOUNDS, "msgpack")).toMatch(EXCESS);
    }
  });

  test("is read no further than to the bound", () => {
    const get = vi.fn(() => "x");
    const last = Object.defineProperty({}, "last", { enumerable: true, get });
    const rows = Array.from({ length: 1_000 }, () => ({ text: "x".repeat(100_000) }));
    expect(excessOfValue([...rows, last], DEFAULT_SIZE_BOUNDS, undefined)).toMatch(/^data of at least 67\d{6} bytes/);
    expect(get).not.toHaveBeenCalled();
  });
});

/** `undefined` for what the codec does not carry. */
function encodedSize(value: unknown, codec: "msgpack" | undefined): number | undefined {
  try {
    if (codec !== undefined) return bodyCodecs.get(codec).encode(value).length;
    const json: unknown = JSON.stringify(value);
    return typeof json === "string" ? Buffer.byteLength(json) : undefined;
  } catch {
    return undefined;
  }
}
