// The checker behind `pnpm check:style`.

import { describe, expect, test } from "vitest";
import { findConstructors } from "../../../../.ci/style/constructors.ts";
import { findWords, readWords } from "../../../../.ci/style/words.ts";

describe("the search for banned words", () => {
  const words = readWords("# a comment\n= openGate\ngate: listener\n\nwalk in: connect\n");

  test("reads one word and its replacement per line", () => {
    expect([...words.replacements]).toEqual([
      ["gate", "listener"],
      ["walk in", "connect"],
    ]);
    expect(words.allowed).toEqual(["openGate"]);
  });

  test.each([
    ["// The Gate is open.", "gate"],
    ["const workerGate = 1;", "gate"],
    ["const ANY_GATE = 1;", "gate"],
    ["class ZMQGate {}", "gate"],
    ["queue.walkIn(peer)", "walk in"],
    ["// Peers that walk in.", "walk in"],
  ])("finds a word in: %s", (text, word) => {
    expect(findWords(`\n${text}\n`, words)).toEqual([{ line: 2, word, replacement: words.replacements.get(word) }]);
  });

  test.each(["// investigate", "sidewalk.inner()", "gateway", "openGate()"])("does not find a word in: %s", (text) => {
    expect(findWords(text, words)).toEqual([]);
  });

  test("ignores the keyword let", () => {
    expect(findWords("let throughPut = 0;", readWords("let through: authorize"))).toEqual([]);
  });
});

describe("the search for constructors", () => {
  test.each([
    ["constructor() {", 0],
    ["constructor(only: string) {", 1],
    ["constructor(first: Map<string, number>, second = [1, 2]) {", 2],
    ["private constructor(read: (a: number, b: string) => void, write: () => void, options: { a: 1; b: 2 }) {", 3],
    ['constructor(\n    a: ")", // of a, b\n    /** x, y */\n    b: number,\n  ) {\n    f(1, 2, 3);', 2],
  ])("counts the parameters of: %s", (text, parameters) => {
    expect(findConstructors(`class Example {\n  ${text}\n  }\n}\n`)).toEqual([{ line: 2, parameters }]);
  });

  test("finds no constructor in a type or a call", () => {
    expect(findConstructors("type T = ConstructorParameters<typeof A>;\nconst a = new A(1, 2, 3, 4);\n")).toEqual([]);
  });
});
