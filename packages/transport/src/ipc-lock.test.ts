// What other processes do to the lock of a path between two steps of this one.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bindPath } from "./ipc-path.ts";

type Step = "lstat" | "rename";
const steps = vi.hoisted(() => ({
  before: (_step: string): void => {},
  after: (_step: string): void => {},
}));

vi.mock("node:fs/promises", async (original) => {
  const fs = await original<typeof import("node:fs/promises")>();
  const around = <Args extends unknown[], Result>(step: Step, run: (...args: Args) => Promise<Result>) => {
    return async (...args: Args): Promise<Result> => {
      steps.before(step);
      return run(...args).finally(() => steps.after(step));
    };
  };
  return {
    ...fs,
    lstat: around("lstat", (path: string) => fs.lstat(path, { bigint: true })),
    rename: around("rename", fs.rename),
  };
});

let folder = "";
let lock = "";
let isBound = false;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pigato-lock-"));
  lock = join(folder, "broker.sock.lock");
  isBound = false;
});

afterEach(() => {
  steps.before = () => {};
  steps.after = () => {};
  rmSync(folder, { recursive: true, force: true });
});

async function bind(timeoutMs: number): Promise<void> {
  await bindPath(
    `ipc://${join(folder, "broker.sock")}`,
    () => {
      isBound = true;
    },
    timeoutMs,
  );
}

/** Calls `run` at the next step of a kind. */
function once(when: "before" | "after", kind: Step, run: () => void): void {
  steps[when] = (step) => {
    if (step !== kind) return;
    steps[when] = () => {};
    run();
  };
}

test("a lock that is released and taken again while it is examined is not removed", async () => {
  writeFileSync(lock, "first");
  const seen: unknown[] = [];
  once("before", "lstat", () => rmSync(lock));
  once("after", "lstat", () => {
    writeFileSync(lock, "second");
    // The next time, the lock of the other process must be there.
    once("before", "lstat", () => {
      seen.push(isBound, readFileSync(lock, "utf8"));
      rmSync(lock);
    });
  });
  await bind(60_000);
  expect(seen).toEqual([false, "second"]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a lock that replaces the one that was left behind is not removed", async () => {
  writeFileSync(lock, "left behind");
  const seen: unknown[] = [];
  once("before", "rename", () => {
    rmSync(lock);
    writeFileSync(lock, "live");
    once("after", "rename", () => {
      once("before", "lstat", () => {
        once("before", "lstat", () => {
          seen.push(isBound, readFileSync(lock, "utf8"));
          rmSync(lock);
        });
      });
    });
  });
  await bind(50);
  expect(seen).toEqual([false, "live"]);
  expect(readdirSync(folder)).toEqual([]);
});

test("a link in the place of a lock is removed, and what it leads to is not", async () => {
  const target = join(folder, "target");
  symlinkSync(target, lock);
  await bind(50);
  expect(existsSync(target)).toBe(false);
  writeFileSync(target, "a file");
  symlinkSync(target, lock);
  await bind(50);
  expect(readFileSync(target, "utf8")).toBe("a file");
  expect(readdirSync(folder)).toEqual(["target"]);
});
