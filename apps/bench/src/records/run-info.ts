// Records when, where and from which commit a measurement ran.

import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import type { RunInfo } from "./record-types.ts";

/** Call it at the start of a run, and the function that it returns at the end. */
export function startRun(command: string): (machine?: string) => RunInfo {
  const startedAt = performance.now();
  const [before = Number.NaN] = loadavg();
  const commit = currentCommit();
  return (machine = thisMachine()) => {
    const [after = Number.NaN] = loadavg();
    const date = new Date().toISOString().slice(0, 10);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    return { command, date, seconds, node: process.version, machine, commit, load: { before, after } };
  };
}

/** One sentence for a page or a terminal. */
export function describeRun({ date, node, machine, commit, load, seconds }: RunInfo): string {
  const duration = seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  return (
    `Measured at commit ${commit} on ${date}, with Node ${node} on ${machine}, in ${duration}; ` +
    `load average ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after.`
  );
}

export function hasUncommittedChanges(): boolean {
  // What `record` itself writes, in docs, does not change what is measured.
  return git("status", "--porcelain", "--", ":/packages", ":/apps") !== "";
}

function currentCommit(): string {
  const commit = git("rev-parse", "--short", "HEAD") || "unknown";
  return hasUncommittedChanges() ? `${commit} with uncommitted changes` : commit;
}

function git(...args: readonly string[]): string {
  return spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).stdout?.trim() ?? "";
}

function thisMachine(): string {
  const [cpu] = cpus();
  const model = cpu?.model.trim() || process.arch;
  return `${availableParallelism()} cores (${model}), ${Math.round(totalmem() / 2 ** 30)} GB`;
}
