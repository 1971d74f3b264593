// The hook that checks commit subjects, and its installation by `pnpm install`.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const HOOKS = fileURLToPath(new URL("../../../../.githooks/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "pigato-hooks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the commit-msg hook", () => {
  test.each([
    "worker: fail the reply when a partial is refused",
    "client, worker: share the options of a link",
    "broker/core: keep the queue in one file",
    `docs: ${"x".repeat(54)}`,
    `docs: ${"ö".repeat(54)}`,
    "Merge branch 'main' into topic",
    'Revert "Let nothing of a reply leave behind a part that the link refused, and watch"',
    "fixup! worker: fail the reply when a partial is refused",
  ])("accepts the subject: %s", (subject) => {
    expect(check(`${subject}\n\n${"A long body line. ".repeat(10)}\n`)).toEqual({ status: 0, complaint: "" });
  });

  test("reads the first line that is neither empty nor a comment", () => {
    expect(check("\n# a comment\ndocs: name the options\n").status).toBe(0);
    expect(check("\n# docs: a comment\nName the options\n").status).toBe(1);
  });

  test("rejects a subject of 61 characters and reports the limit", () => {
    const { status, complaint } = check(`docs: ${"x".repeat(55)}\n`);
    expect(status).toBe(1);
    expect(complaint).toContain("has 61 characters, 60 are allowed");
  });

  test.each(["Fail the reply", "Worker: fail the reply", "worker:fail the reply", "worker fails: the reply", ""])(
    "rejects a subject without a scope: %s",
    (subject) => {
      const { status, complaint } = check(`${subject}\n`);
      expect(status).toBe(1);
      expect(complaint).toContain("has no scope");
    },
  );
});

describe("the installation of the hooks", () => {
  test("sets the folder of the hooks in a checkout", () => {
    const checkout = newCheckout();
    expect(install(checkout)).toBe(0);
    expect(hooksPathOf(checkout)).toBe(".githooks");
  });

  test("leaves alone a folder that is configured already", () => {
    const checkout = newCheckout();
    execFileSync("git", ["config", "core.hooksPath", "my-hooks"], { cwd: checkout });
    expect(install(checkout)).toBe(0);
    expect(hooksPathOf(checkout)).toBe("my-hooks");
  });

  test("does nothing in a folder that is not a checkout", () => {
    const inside = mkdtempSync(join(newCheckout(), "unpacked-"));
    expect(install(inside)).toBe(0);
    expect(hooksPathOf(inside)).toBe("");
  });

  test("does nothing where git is missing", () => {
    const checkout = newCheckout();
    expect(install(checkout, { ...process.env, PATH: "" })).toBe(0);
    expect(hooksPathOf(checkout)).toBe("");
  });
});

function check(message: string): { readonly status: number | null; readonly complaint: string } {
  const file = join(folder, "message");
  writeFileSync(file, message);
  const { status, stderr } = spawnSync("sh", [join(HOOKS, "commit-msg"), file], { encoding: "utf8" });
  return { status, complaint: stderr };
}

function newCheckout(): string {
  const checkout = mkdtempSync(join(folder, "checkout-"));
  execFileSync("git", ["init", "--quiet"], { cwd: checkout });
  return checkout;
}

function install(checkout: string, env: NodeJS.ProcessEnv = process.env): number | null {
  return spawnSync(process.execPath, [join(HOOKS, "install.mjs")], { cwd: checkout, env }).status;
}

function hooksPathOf(checkout: string): string {
  const { stdout } = spawnSync("git", ["config", "core.hooksPath"], { cwd: checkout, encoding: "utf8" });
  return stdout.trim();
}
