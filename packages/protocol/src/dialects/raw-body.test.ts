import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { readText, writeBytes, writeText } from "../ids.ts";
import { asJson, checkedJson, excessOfJson, jsonSizeOf, readRawBody, writeRawBody } from "./raw-body.ts";

const json = (...frames: string[]) => readText(asJson(frames.map((frame) => writeText(frame))));

test("D-MAP-1: a body of JSON passes byte for byte", () => {
  for (const text of ['{"a": 1}', "null", '"x"', " [1,2] ", "0"]) expect(json(text)).toBe(text);
});

test("bytes that an application gets keep nothing else alive", () => {
  const frame = new Uint8Array(new ArrayBuffer(8_192), 0, 100).fill(0xff);
  const value = readRawBody([frame, frame]);
  expect(value).toEqual([new Uint8Array(frame), new Uint8Array(frame)]);
  for (const bytes of Array.isArray(value) ? value : []) expect(bytes.buffer.byteLength).toBe(100);
});

test("D-MAP-2: a body that is not JSON becomes a string", () => {
  expect(json("hello")).toBe('"hello"');
  expect(json("undefined")).toBe('"undefined"');
  expect(json("")).toBe('""');
  expect(json("grüße \u{1F600}")).toBe('"grüße \u{1F600}"');
  expect(json("\uFFFD")).toBe('"\uFFFD"');
});

test("D-MAP-2: bytes that are not UTF-8 become a data URL", () => {
  const bytes = (text: string) => JSON.parse(readText(asJson([writeBytes(text)])));
  expect(bytes("\u00ff\u0000a")).toBe("data:application/octet-stream;base64,/wBh");
  // Some parsers read such a frame as JSON, others fail on its bytes.
  expect(bytes('"\u00ff"')).toBe("data:application/octet-stream;base64,Iv8i");
});

test("D-MAP-3: a body of several frames becomes an array", () => {
  expect(json("1", "two", '{"three":3}', "")).toBe('[1,"two",{"three":3},""]');
});

test("the size of a body as JSON is known before it is converted", () => {
  const everyByte = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).join("");
  const frame = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ unit: fc.constantFrom(...everyByte, "ü", "\u2028", "\u{1F600}"), maxLength: 40 }).map(writeText),
    fc.json().map(writeText),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 5 }), (body) => {
      expect(jsonSizeOf(body)).toBe(asJson(body).length);
    }),
    { examples: [[[writeText(everyByte)]], [[new Uint8Array([255])]], [[new Uint8Array(0)]]] },
  );
});

test("P-SIZE-1: a body is too large if its JSON is", () => {
  const bounds = { maxFrameBytes: 1_202, maxMessageBytes: 10_000 };
  const control = (bytes: number) => excessOfJson(bounds, [new Uint8Array(bytes)], undefined);
  expect(control(200)).toBeUndefined();
  expect(control(201)).toBe("a frame of 1208 bytes; the bound is 1202 (maxFrameBytes)");
  expect(excessOfJson(bounds, [writeText("x".repeat(1_200))], undefined)).toBeUndefined();
  const low = { maxFrameBytes: 10_000, maxMessageBytes: 4_096 };
  expect(excessOfJson(low, [new Uint8Array(400)], writeText("x".repeat(1_000)))).toBe(
    "a message of 3402 bytes and its envelope; the bound is 4096 (maxMessageBytes)",
  );
});

test("D-MAP-1: no value is built to find out whether a body is JSON", () => {
  vi.spyOn(JSON, "parse").mockImplementation(() => expect.fail("a large body would take much memory and time"));
  const bomb = writeText(`[${"{},".repeat(100_000)}{}]`);
  expect(asJson([bomb])).toBe(bomb);
  expect(checkedJson([bomb], undefined)).toBe(bomb);
  expect(jsonSizeOf([bomb])).toBe(bomb.length);
  vi.restoreAllMocks();
});

test("D-MAP-2: bytes of any number become one data URL", () => {
  const bytes = Buffer.alloc(7_000_001, "\xff\x01\x02", "latin1");
  const url: string = JSON.parse(readText(asJson([bytes])));
  expect(Buffer.from(url.slice(url.indexOf(",") + 1), "base64").equals(bytes)).toBe(true);
});

test("a body without frames is null", () => {
  expect(json()).toBe("null");
});

test("D-MAP-9: a PIGATO body that is no JSON is null or a string", () => {
  const checked = (...frames: string[]) =>
    readText(
      checkedJson(
        frames.map((frame) => writeText(frame)),
        undefined,
      ),
    );
  expect([checked(), checked(""), checked("undefined"), checked("hello"), checked("[1]")]).toEqual([
    "null",
    "null",
    "null",
    '"hello"',
    "[1]",
  ]);
});

test("bytes of another realm are sent as they are, and other views of a buffer as JSON", () => {
  const bytes: unknown = runInNewContext("Uint8Array.of(1, 2)");
  expect(writeRawBody(bytes)).toEqual([bytes]);
  expect(writeRawBody([bytes, bytes])).toEqual([bytes, bytes]);
  expect(writeRawBody(Uint16Array.of(1)).map(readText)).toEqual(['{"0":1}']);
});
