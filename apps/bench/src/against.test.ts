// `pnpm bench against` in its shortest form: it checks out, installs and builds the current commit and leaves nothing behind.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const OPTIONS = { cwd: fileURLToPath(new URL("../../../", import.meta.url)), timeout: 280_000 };

test("this tree is compared with a commit, of which no worktree is left", { timeout: 300_000 }, async () => {
  const cases = ["20 B × 100", "partials", "200 clients"];
  const args = ["HEAD", "--cases", cases.join(","), "--seconds", "0", "--starts", "1", "--burst-ms", "10"];
  const { stdout } = await run(process.execPath, [PROGRAM, "against", ...args], OPTIONS);
  const record = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  const head = (await run("git", ["log", "-1", "--format=%h %s"], OPTIONS)).stdout.trim();

  expect(record).toMatchObject({ own: "this tree", other: head });
  expect(record.results).toMatchObject(
    cases.map((caseName) => ({
      caseName,
      rounds: 1,
      speedRatio: { median: expect.any(Number) },
      cpuRatio: { median: expect.any(Number) },
    })),
  );
  expect((await run("git", ["worktree", "list"], OPTIONS)).stdout).not.toContain("pigato-against-");
});

test("an unknown commit is an error that names it, and leaves no worktree", { timeout: 60_000 }, async () => {
  const failed = run(process.execPath, [PROGRAM, "against", "no-such-commit"], OPTIONS);
  await expect(failed).rejects.toMatchObject({ stderr: expect.stringContaining("no-such-commit") });
  expect((await run("git", ["worktree", "list"], OPTIONS)).stdout).not.toContain("pigato-against-");
});
