import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { readText, writeBytes, writeText } from "../ids.ts";
import { asJson, checkedJson, writeRawBody } from "./raw-body.ts";

const json = (...frames: string[]) => readText(asJson(frames.map((frame) => writeText(frame))));

test("D-MAP-1: a body of JSON passes byte for byte", () => {
  for (const text of ['{"a": 1}', "null", '"x"', " [1,2] ", "0"]) expect(json(text)).toBe(text);
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
