// This tree beside the commit that it stands on, in the shortest form: that commit is really checked out, installed and
// built, and all that was made for it is gone in the end.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../dist/against.js", import.meta.url));
const OPTIONS = { cwd: fileURLToPath(new URL("../../../", import.meta.url)), timeout: 280_000 };

test("this tree is measured beside another commit, of which nothing stays", { timeout: 300_000 }, async () => {
  const args = ["HEAD", "--cases", "20 B × 100,partials", "--seconds", "0", "--burst-ms", "10"];
  const { stdout } = await run(process.execPath, [PROGRAM, ...args], OPTIONS);
  const record = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  const head = (await run("git", ["log", "-1", "--format=%h %s"], OPTIONS)).stdout.trim();

  expect(record).toMatchObject({ own: "this tree", other: head });
  expect(record.verdicts).toMatchObject([
    { what: "20 B × 100", rounds: 1, speed: { median: expect.any(Number) }, cpu: { median: expect.any(Number) } },
    { what: "partials", rounds: 1, speed: { median: expect.any(Number) }, cpu: { median: expect.any(Number) } },
  ]);
  expect((await run("git", ["worktree", "list"], OPTIONS)).stdout).not.toContain("pigato-against-");
});

test("what is no commit is said to be none, and nothing stays of it", { timeout: 60_000 }, async () => {
  const failed = run(process.execPath, [PROGRAM, "no-such-commit"], OPTIONS);
  await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining("no-such-commit") });
  expect((await run("git", ["worktree", "list"], OPTIONS)).stdout).not.toContain("pigato-against-");
});
