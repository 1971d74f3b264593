import fc from "fast-check";
import { expect, test } from "vitest";
import { writeText } from "../ids.ts";
import { isJsonText } from "./json-text.ts";

function isParsed(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const TEXTS = [
  ...[
    "",
    " ",
    "0",
    "-0",
    "00",
    "01",
    "-",
    "1.",
    ".5",
    "1.5",
    "1e5",
    "1E+05",
    "1e",
    "1e+",
    "-1.0e-0",
    "+1",
    "0x1",
    "1 2",
  ],
  ...["true", "truE", "tru", "truex", "null", "nul", "false", "undefined", "NaN", "Infinity"],
  ...[
    '"',
    '""',
    '"a',
    '"\\"',
    '"\\\\"',
    '"\\u12aF"',
    '"\\u12g0"',
    '"\\u1',
    '"\\x41"',
    '"\t"',
    '"\u007f\u2028é"',
    '"\\/\\b"',
  ],
  ...[
    "[",
    "]",
    "[]",
    "[ ]",
    "[,]",
    "[1,]",
    "[1 2]",
    "[1,2]",
    "[[]]",
    "[}",
    "[1]]",
    "[\n1\r,\t2 ]",
    "\v[]",
    "\u00a0[]",
    "\ufeff[]",
  ],
  ...[
    "{",
    "{}",
    "{ }",
    "{,}",
    '{"a"}',
    '{"a":}',
    '{"a":1}',
    '{"a":1,}',
    '{"a":1,"b":[{}]}',
    "{1:2}",
    '{"a" : 1 , "a":2}',
    "{]",
  ],
  ...['{"a":1]', '[{"a":1}', "1,", "[1],", "\0", "[\0]", '"\0"', "{{}}", "[][]", '{"a":{"b":{"c":[[[0]]]}}}'],
];

test.each(TEXTS)("the text %j is JSON if the parser reads it", (text) => {
  expect(isJsonText(writeText(text))).toBe(isParsed(text));
});

test("any text is JSON if the parser reads it, also one that differs from JSON at one place", () => {
  const characters = fc.constantFrom(...'[]{},:"\\ue0129.-+ntrue', " ", "\n", "é", "\u0001");
  const damaged = fc.tuple(fc.json(), fc.nat(), fc.nat({ max: 2 }), characters).map(([text, at, removed, added]) => {
    const index = at % (text.length + 1);
    return text.slice(0, index) + added + text.slice(index + removed);
  });
  const texts = fc.oneof(
    fc.json(),
    damaged,
    fc.array(characters).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(texts, (text) => isJsonText(writeText(text)) === isParsed(text)),
    { numRuns: 2_000, seed: Number(process.env.PIGATO_FUZZ_SEED) },
  );
});

test("a million levels of nesting are read", () => {
  expect(isJsonText(Buffer.from("[".repeat(1e6) + "]".repeat(1e6)))).toBe(true);
  expect(isJsonText(Buffer.from('{"a":'.repeat(1e5) + "[".repeat(1e5)))).toBe(false);
});
