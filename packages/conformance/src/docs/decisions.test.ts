// Decisions are numbered from 1 without gaps, and each heading has its number.

import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { ROOT, textOf } from "./pages.ts";

const FOLDER = "docs/decisions";

const files = readdirSync(join(ROOT, FOLDER))
  .filter((file) => file !== "index.md")
  .sort();

test("every decision has a number of its own, and none is missing", () => {
  expect(files.map((file) => Number(/^\d{4}(?=-[a-z])/.exec(file)?.[0]))).toEqual(files.map((_, index) => index + 1));
});

test.each(files)("%s has its number and its sections", (file) => {
  const text = textOf(join(FOLDER, file));
  expect(text.split("\n")[0]).toMatch(new RegExp(`^# ${Number(basename(file).slice(0, 4))}\\. .`));
  for (const part of [/^Status: /m, /^## Context$/m, /^## Decision$/m, /^## Consequences$/m])
    expect(text).toMatch(part);
});
