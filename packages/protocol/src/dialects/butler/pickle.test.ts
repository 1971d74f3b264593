// Fixed texts, as Python 2.7 and 3.11 write them with protocol 0.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readText, writeText } from "../../ids.ts";
import { pickleClass, pickleException, readPickledException } from "./pickle.ts";

describe("D-BUT-7: the pickle of an exception", () => {
  test("has one form", () => {
    expect(pickleClass("ValueError")).toBe("cexceptions\nValueError\n.");
    expect(pickleException({ name: "ValueError", argument: "no such size" })).toBe(
      "cexceptions\nValueError\n(Vno such size\ntR.",
    );
  });

  test("is printable ASCII, whatever the text is", () => {
    const pickled = (argument: string) => pickleException({ name: "KeyError", argument }).split("\n(V")[1];
    expect(pickled("a\\b\n\x00\x1a'\"")).toBe("a\\u005cb\\u000a\\u0000\\u001a'\"\ntR.");
    expect(pickled("gr\u00fc\u00dfe \u20ac \u{1F600}")).toBe("gr\\u00fc\\u00dfe \\u20ac \\U0001f600\ntR.");
    expect(pickled("\ud83d")).toBe("\\ufffd\ntR.");
    expect(pickled("x\ntR.cos\nsystem\n(S'true'\ntR.")).not.toMatch(/\ncos/);
  });

  test("is read again, whatever the text is", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const argument = readText(writeText(text));
        const exception = { name: "OSError", argument };
        expect(readPickledException(pickleException(exception))).toEqual(exception);
      }),
      { seed: Number(process.env.PIGATO_FUZZ_SEED) },
    );
  });
});

describe("D-BUT-7: the reader of pickles", () => {
  test.each([
    [
      "Python 2",
      "cexceptions\nValueError\np1\n(S\"no such\\n'size' \\\\ \\x01\"\np2\ntp3\nRp4\n.",
      "no such\n'size' \\ \x01",
    ],
    ["Python 2 with fewer notes", "cexceptions\nValueError\np1\n(S'x'\ntp2\nRp3\n.", "x"],
    ["Python 2 with UTF-8", "cexceptions\nValueError\np1\n(S'\\xc3\\xa9\\t\\r'\ntp2\nRp3\n.", "\u00e9\t\r"],
    ["Python 2 with bytes", "cexceptions\nValueError\np1\n(S'\\xff'\ntp2\nRp3\n.", "\u00ff"],
    [
      "Python 2 with Unicode",
      "cexceptions\nValueError\np1\n(V\u00e9\\u20ac\\U0001f600\np2\ntp3\nRp4\n.",
      "\u00e9\u20ac\u{1F600}",
    ],
    [
      "Python 3",
      "cexceptions\nValueError\np0\n(Vno such\\u000a'size' \\u005c \x01\np1\ntp2\nRp3\n.",
      "no such\n'size' \\ \x01",
    ],
    ["Python 3 without names of Python 2", "cbuiltins\nValueError\np0\n(Vx\np1\ntp2\nRp3\n.", "x"],
  ])("reads what %s writes", (_python, pickle, argument) => {
    expect(readPickledException(pickle)).toEqual({ name: "ValueError", argument });
  });

  test.each([
    ["a call of another function", "cos\nsystem\n(S'true'\ntR."],
    ["a class that ends the client", "cexceptions\nSystemExit\n(S'0'\ntR."],
    ["a class of another module", "cshop\nValueError\n(S'x'\ntR."],
    ["a class alone", "cexceptions\nValueError\np1\n."],
    ["no argument", "cexceptions\nException\np1\n(tRp2\n."],
    ["two arguments", "cexceptions\nValueError\n(Vx\nVy\ntR."],
    ["a number", "cexceptions\nValueError\n(I2\ntR."],
    ["a state", "cexceptions\nValueError\n(Vx\ntR(dS'a'\nI1\nsb."],
    ["a second call", "cexceptions\nValueError\n(Vx\ntRcos\nsystem\n(S'true'\ntR."],
    ["something before it", "0cexceptions\nValueError\n(Vx\ntR."],
    ["something behind it", "cexceptions\nValueError\n(Vx\ntR.."],
    ["no end", "cexceptions\nValueError\n(Vx\ntR"],
    ["no mark", "cexceptions\nValueError\nVx\ntR."],
    ["a lone backslash", "cexceptions\nValueError\n(Vx\\y\ntR."],
    ["a character beyond Unicode", "cexceptions\nValueError\n(V\\U00110000\ntR."],
    ["an escape that repr never writes", "cexceptions\nValueError\n(S'\\b'\ntR."],
    ["an open quote", "cexceptions\nValueError\n(S'x\ntR."],
    ["a quote alone", "cexceptions\nValueError\n(S'\ntR."],
    ["a quote within", "cexceptions\nValueError\n(S'x'y'\ntR."],
    ["an escaped last quote", "cexceptions\nValueError\n(S'x\\'\ntR."],
    ["another protocol", "\x80\x02cexceptions\nValueError\n(Vx\ntR."],
    ["a long text", `cexceptions\nValueError\n(V${"x".repeat(65_536)}\ntR.`],
    ["a long end", `cexceptions\nValueError\n(Vx\nt${"p".repeat(100_000)}R.`],
    ["nothing", ""],
  ])("does not read %s", (_what, pickle) => {
    expect(readPickledException(pickle)).toBeUndefined();
  });

  test("reads a text whose last character is an escaped backslash", () => {
    expect(readPickledException("cexceptions\nValueError\n(S'x\\\\'\ntR.")?.argument).toBe("x\\");
  });

  test("never throws", () => {
    const piece = fc.constantFrom(
      "cexceptions\n",
      "ValueError\n",
      "(",
      "V",
      "S'",
      "\\",
      "\\u",
      "00",
      "'\n",
      "p1\n",
      "t",
      "R",
      ".",
      "x",
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 }))), (pieces) => {
        readPickledException(pieces.join(""));
      }),
      { seed: Number(process.env.PIGATO_FUZZ_SEED) },
    );
  });
});
