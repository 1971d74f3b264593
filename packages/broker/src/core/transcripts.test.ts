// Golden transcripts: `vitest -u` regenerates the effects. Review the difference like code.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { replay } from "./testing/transcript-script.ts";

const FOLDER = join(import.meta.dirname, "transcripts");
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));

test("there are at least 25 transcripts, and each starts with a sentence about its content", () => {
  expect(FILES.length).toBeGreaterThanOrEqual(25);
  for (const file of FILES) expect(readFileSync(join(FOLDER, file), "utf8")).toMatch(/^# [A-Z].*\.\n/);
});

test.each(FILES)("the broker has the effects that %s shows", async (file) => {
  const text = readFileSync(join(FOLDER, file), "utf8");
  await expect(replay(text)).toMatchFileSnapshot(join(FOLDER, file));
});
