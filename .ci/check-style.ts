// Checks the sources of the packages: no banned word, no constructor with more than three parameters, no file of more than
// 400 lines, and few files so small that they should be part of another.
//
//   check-style.ts [words] [structure]    one of the checks; both by default

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { findConstructors } from "./style/constructors.ts";
import { findWords, readWords } from "./style/words.ts";

const ROOT = dirname(import.meta.dirname);
const MAX_PARAMETERS = 3;
const MAX_LINES = 400;
const SMALL_FILE_LINES = 20;
const MAX_SMALL_FILES = 3;

interface Source {
  readonly file: string;
  readonly text: string;
}

const CHECKS: Readonly<Record<string, (sources: readonly Source[]) => string[]>> = { words, structure };

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(CHECKS);
const sources = readSources();
const problems = names.flatMap((name) => CHECKS[name]?.(sources) ?? [`there is no check called ${name}`]);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;

function words(all: readonly Source[]): string[] {
  const list = readWords(readFileSync(join(import.meta.dirname, "style/words.txt"), "utf8"));
  return all.flatMap(({ file, text }) =>
    findWords(text, list).map(({ line, word, replacement }) => `${file}:${line}: "${word}": write ${replacement}`),
  );
}

function structure(all: readonly Source[]): string[] {
  const found: string[] = [];
  const small: string[] = [];
  for (const { file, text } of all) {
    for (const { line, parameters } of findConstructors(text)) {
      if (parameters > MAX_PARAMETERS) {
        found.push(`${file}:${line}: a constructor has ${parameters} parameters, ${MAX_PARAMETERS} are allowed`);
      }
    }
    const lines = text.split("\n").length - 1;
    if (isTest(file)) continue;
    if (lines > MAX_LINES) found.push(`${file}: ${lines} lines, ${MAX_LINES} are allowed`);
    if (lines <= SMALL_FILE_LINES && !isEntry(file)) small.push(`${file}: ${lines} lines`);
  }
  if (small.length > MAX_SMALL_FILES) {
    found.push(
      `${small.length} files have ${SMALL_FILE_LINES} lines or fewer, ${MAX_SMALL_FILES} are allowed:`,
      ...small,
    );
  }
  return found;
}

function readSources(): Source[] {
  return readdirSync(join(ROOT, "packages")).flatMap((name) => {
    const folder = join(ROOT, "packages", name, "src");
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .sort()
      .map((path) => {
        const file = join(folder, path);
        return { file: relative(ROOT, file), text: readFileSync(file, "utf8") };
      });
  });
}

/** The list of a package's exports cannot be part of another file. */
function isEntry(file: string): boolean {
  return file.endsWith("/src/index.ts") || file.endsWith("/src/internal.ts");
}

function isTest(file: string): boolean {
  return file.endsWith(".test.ts");
}
