import { writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { readSentOptions } from "./sent-options.ts";

test("options are read as they were written, be they new or those of the request before", () => {
  const texts = ['{"timeout":1000,"a":"x"}', '{"a":"x","timeout":1000}', '{"a":null}', '{"__proto__":1}'];
  for (const text of [...texts, ...texts].flatMap((each) => [each, each])) {
    expect(JSON.stringify(readSentOptions(writeText(text)))).toBe(text);
  }
});

test("no options, and what is no JSON object, are none", () => {
  expect(readSentOptions(undefined)).toEqual({});
  for (const text of ["", "null", "[1]", "7", "undefined", "{"]) {
    expect(readSentOptions(writeText(text))).toEqual({});
    expect(readSentOptions(writeText(text))).toEqual({});
  }
});

test.each(['{"a":1}', '{"a":{"b":1}}', '{"a":[1]}', "null", `{"a":"${"x".repeat(300)}"}`])(
  "what a handler changes in its options %s, no other request sees",
  (text) => {
    for (let time = 0; time < 3; time++) {
      const options: Record<string, unknown> = readSentOptions(writeText(text));
      const { a } = options;
      if (typeof a === "object" && a !== null) Object.assign(a, { b: 2, 0: 2 });
      options.a = "changed";
      options.c = "added";
    }
    expect(JSON.stringify(readSentOptions(writeText(text)))).toBe(text === "null" ? "{}" : text);
  },
);
