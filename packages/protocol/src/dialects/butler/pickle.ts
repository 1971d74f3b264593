// Exceptions as Python pickles, which butler clients load and raise. A pickle is a program for Python, so the broker never
// passes one on. It writes one form: a class of a fixed list, called with one text. Of a worker's pickles it reads that form
// alone, as text; nothing is executed (D-BUT-7).
//
// The form is protocol 0, which Python 2 and 3 read and which is ASCII:
//
//   cexceptions\nNAME\n   the class            (   mark      tR   call it with what follows the mark
//   Vtext\n or S'text'\n  its argument         pN\n   note for later, which may follow any of these; ignored

import { sameBytes } from "../../frame.ts";
import { readBytes, readText, writeBytes, writeText } from "../../ids.ts";

/** Builtin exceptions of Python 2.7 and 3 that take one text. Without those that are not errors, such as `SystemExit`. */
const BUILTIN_EXCEPTIONS: ReadonlySet<string> = new Set([
  "ArithmeticError",
  "AssertionError",
  "AttributeError",
  "BufferError",
  "EOFError",
  "EnvironmentError",
  "Exception",
  "FloatingPointError",
  "IOError",
  "ImportError",
  "IndexError",
  "KeyError",
  "LookupError",
  "MemoryError",
  "NameError",
  "NotImplementedError",
  "OSError",
  "OverflowError",
  "ReferenceError",
  "RuntimeError",
  "SyntaxError",
  "SystemError",
  "TypeError",
  "UnboundLocalError",
  "ValueError",
  "ZeroDivisionError",
]);

/** The module of builtin exceptions in Python 2; Python 3 reads it as its own. */
const MODULE = "exceptions";
/** Modules that Python writes for them. */
const MODULES: ReadonlySet<string> = new Set([MODULE, "builtins"]);
/** The longest pickle that is read, in characters. */
const MAX_PICKLE = 65_536;
const NOTE = /^p\d{1,9}$/;
/** After the argument: `t` and `R`, each with a note or without, and the end. */
const CALL = /^t(?:p\d{1,9}\n)?R(?:p\d{1,9}\n)?\.$/;
const MAX_CALL = 32;

export interface PickledException {
  /** One of the list. */
  readonly name: string;
  readonly argument: string;
}

export function isBuiltinException(name: string): boolean {
  return BUILTIN_EXCEPTIONS.has(name);
}

/** The pickle of a class. @param name one of the list */
export function pickleClass(name: string): string {
  return `c${MODULE}\n${name}\n.`;
}

/** The pickle of an exception. */
export function pickleException({ name, argument }: PickledException): string {
  return `c${MODULE}\n${name}\n(V${escapeText(argument)}\ntR.`;
}

/** Reads a pickle of exactly this form; `undefined` for any other text. */
export function readPickledException(pickle: string): PickledException | undefined {
  if (pickle.length > MAX_PICKLE) return undefined;
  const [global = "", name = "", ...rest] = pickle.split("\n");
  if (global[0] !== "c" || !MODULES.has(global.slice(1)) || !isBuiltinException(name)) return undefined;
  const [marked = "", ...others] = withoutNote(rest);
  const call = withoutNote(others).join("\n");
  if (marked[0] !== "(" || call.length > MAX_CALL || !CALL.test(call)) return undefined;
  const argument = readArgument(marked.slice(1));
  return argument === undefined ? undefined : { name, argument };
}

function withoutNote(lines: readonly string[]): readonly string[] {
  return NOTE.test(lines[0] ?? "") ? lines.slice(1) : lines;
}

function readArgument(line: string): string | undefined {
  switch (line[0]) {
    case "V":
      return unescapeText(line.slice(1));
    case "S":
      return unquote(line.slice(1));
    default:
      return undefined;
  }
}

/** Everything but printable ASCII as `\uXXXX` or `\UXXXXXXXX`, and the backslash as well. */
function escapeText(text: string): string {
  // A lone surrogate becomes U+FFFD: Python could not print it.
  return readText(writeText(text)).replace(/[^\x20-\x5b\x5d-\x7e]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** Reverses `escapeText`. Python leaves U+0080 to U+00FF as they are. */
function unescapeText(line: string): string | undefined {
  return replaceAll(line, /\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))?|[\u0100-\uffff]/g, (short, long) => {
    const code = Number.parseInt(short ?? long ?? "", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
  });
}

/** Reads what Python 2 writes for a string: its `repr`. The bytes are UTF-8, or else one character each. */
function unquote(line: string): string | undefined {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || line.at(-1) !== quote) return undefined;
  const bytes = replaceAll(
    line.slice(1, -1),
    /\\(?:x([0-9a-f]{2})|([\\'"nrt]))?|['"]|[^\x20-\x7e]/g,
    (code, plain, all) => {
      if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
      if (plain !== undefined) return ESCAPES[plain] ?? plain;
      return all === "\\" || all === quote || all < " " || all > "~" ? undefined : all;
    },
  );
  if (bytes === undefined) return undefined;
  const frame = writeBytes(bytes);
  const text = readText(frame);
  return sameBytes(writeText(text), frame) ? text : readBytes(frame);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** As `String.replaceAll`; `undefined` if the replacement of any match is. */
function replaceAll(
  text: string,
  pattern: RegExp,
  replace: (first: string | undefined, second: string | undefined, all: string) => string | undefined,
): string | undefined {
  let isWhole = true;
  const replaced = text.replace(pattern, (all: string, first?: string, second?: string) => {
    const replacement = replace(first, second, all);
    if (replacement === undefined) isWhole = false;
    return replacement ?? "";
  });
  return isWhole ? replaced : undefined;
}
