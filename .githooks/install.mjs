// Run by `pnpm install`: has git use the hooks of this folder. Does nothing where there is no checkout or no git, and leaves
// alone hooks that a person has configured.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

if (existsSync(".git") && !git("config", "core.hooksPath")) git("config", "core.hooksPath", ".githooks");

/** @returns whether the command succeeded */
function git(...args) {
  try {
    execFileSync("git", args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
