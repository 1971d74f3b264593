import { expect, test } from "vitest";
import { readText, writeBytes, writeText } from "../ids.ts";
import { asJson } from "./raw-body.ts";

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

test("D-MAP-2: bytes that are not UTF-8 become one character each", () => {
  expect(JSON.parse(readText(asJson([writeBytes("\u00ff\u0000a")])))).toBe("\u00ff\u0000a");
});

test("D-MAP-3: a body of several frames becomes an array", () => {
  expect(json("1", "two", '{"three":3}', "")).toBe('[1,"two",{"three":3},""]');
});

test("a body without frames is null", () => {
  expect(json()).toBe("null");
});
