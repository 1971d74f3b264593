import { writeText } from "@pigato/protocol";
import { expect, test } from "vitest";
import { readSentOptions } from "./sent-options.ts";

test("options are read as the client wrote them, also when they repeat the previous request's", () => {
  const texts = ['{"timeout":1000,"a":"x"}', '{"a":"x","timeout":1000}', '{"a":null}', '{"__proto__":1}'];
  for (const text of [...texts, ...texts].flatMap((each) => [each, each])) {
    expect(JSON.stringify(readSentOptions(writeText(text)))).toBe(text);
  }
});

test("missing options, and options that are not a JSON object, are empty", () => {
  expect(readSentOptions(undefined)).toEqual({});
  for (const text of ["", "null", "[1]", "7", "undefined", "{"]) {
    expect(readSentOptions(writeText(text))).toEqual({});
    expect(readSentOptions(writeText(text))).toEqual({});
  }
});

test.each(['{"a":1}', '{"a":{"b":1}}', '{"a":[1]}', "null", `{"a":"${"x".repeat(300)}"}`])(
  "a handler's change of its options %s does not reach other requests",
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
