import { expect, test } from "vitest";
import { readText, writeText } from "../ids.ts";
import { methodInBody, methodOverhead, methodWithKeywords } from "./method-body.ts";

function bodyOf(data: string, method: string, hasArgs = false, isChecked = false): string {
  return readText(methodInBody({ body: [writeText(data)], options: { method, hasArgs } }, isChecked));
}

test("the data is the one argument of the method, in the form of butler", () => {
  expect(bodyOf('{"a":1}', "add")).toBe('{"args":[{"a":1}],"kwargs":{},"method":"add"}');
});

test("an array of arguments is passed on as it is", () => {
  expect(bodyOf("[1,2]", "add", true)).toBe('{"args":[1,2],"kwargs":{},"method":"add"}');
});

test.each([
  ["", false, [null]],
  ["undefined", false, []],
  ["", true, []],
  ["undefined", true, []],
])("data of %o with args %o is the arguments %j", (data, hasArgs, args) => {
  expect(JSON.parse(bodyOf(data, "add", hasArgs))).toEqual({ method: "add", args, kwargs: {} });
});

test.each(['quo"te', "\\", "größe", "__proto__", "😀"])("the method %j is written as JSON", (method) => {
  expect(JSON.parse(bodyOf("1", method))).toMatchObject({ method });
});

test.each([
  '1],"method":"other","args":[2',
  '1],"method":"other"}',
  '1],"method":"other","kwargs":{"a":[1',
  '1,"method":"other"',
  '1],"other":{"method":"other","args":[2',
])("data cannot name another method: %s", (data) => {
  let method: unknown = "no JSON";
  try {
    method = Reflect.get(JSON.parse(bodyOf(data, "add")), "method");
  } catch {
    // The worker reports that the data is no JSON.
  }
  expect(["add", "no JSON"]).toContain(method);
});

test("for peers that fail on anything but JSON, other data becomes a string", () => {
  const body = bodyOf('1],"method":"other","args":[2', "add", false, true);
  expect(JSON.parse(body)).toEqual({ method: "add", args: ['1],"method":"other","args":[2'], kwargs: {} });
});

test.each([false, true])("the overhead is never less than what is added, with args %o", (hasArgs) => {
  for (const data of ["", "undefined", "null", "[1,2,3]"]) {
    const options = { method: "größe", hasArgs };
    const body = methodInBody({ body: [writeText(data)], options }, false);
    expect(body.length).toBeLessThanOrEqual(data.length + methodOverhead(options));
  }
});

test.each([
  ["[]", '"args":[],"kwargs":{}'],
  ['["a.jpg","150x180"]', '"args":["a.jpg","150x180"],"kwargs":{}'],
  ['["a.jpg",{"size":"150x180"}]', '"args":["a.jpg"],"kwargs":{"size":"150x180"}'],
  [' [ {"a" : [1, {"b": 2}]} ] ', '"args": [],"kwargs": {"a" : [1, {"b": 2}]} '],
  ['[{"a":1},2]', '"args":[{"a":1},2],"kwargs":{}'],
  ['["],{\\"",{"}":"\\\\"}]', '"args":["],{\\""],"kwargs":{"}":"\\\\"}'],
  ['[1,[{"a":1}]]', '"args":[1,[{"a":1}]],"kwargs":{}'],
  ["", '"args":[],"kwargs":{}'],
])("D-MAP-10: for Python, the object at the end of the arguments %s is kwargs", (args, expected) => {
  const body = readText(methodWithKeywords({ body: [writeText(args)], options: { method: "m", hasArgs: true } }));
  expect(body).toBe(`{${expected},"method":"m"}`);
  expect(JSON.parse(body)).toMatchObject({ method: "m" });
});

test("D-MAP-10: for Python, data that is no array of arguments stays one argument", () => {
  const body = methodWithKeywords({ body: [writeText('{"a":1}')], options: { method: "m" } });
  expect(readText(body)).toBe('{"args":[{"a":1}],"kwargs":{},"method":"m"}');
});
