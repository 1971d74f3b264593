// What a measurement must tell about itself, so that somebody else can repeat it: when, where, of what, and how asked for.

import { spawnSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

export interface Circumstances {
  /** As one would type it again. */
  readonly command: string;
  /** When it ended: a day, in UTC. */
  readonly date: string;
  readonly seconds: number;
  readonly node: string;
  readonly machine: string;
  /** Of what: a commit, with "and changes" behind it where the tree differs. */
  readonly commit: string;
  /** Of the machine, over the minute before the start, and before the end; without the measurement's own there is less. */
  readonly load: { readonly before: number; readonly after: number };
}

/** Call it at the start, and what it returns at the end. */
export function observed(): (machine?: string) => Circumstances {
  const startedAt = performance.now();
  const [before = Number.NaN] = loadavg();
  const [commit, command] = [commitHere(), commandLine()];
  return (machine = thisMachine()) => {
    const [after = Number.NaN] = loadavg();
    const date = new Date().toISOString().slice(0, 10);
    const seconds = Math.round((performance.now() - startedAt) / 1000);
    return { command, date, seconds, node: process.version, machine, commit, load: { before, after } };
  };
}

/** @returns one line of prose */
export function asSentence({ date, node, machine, commit, load, seconds }: Circumstances): string {
  const span = seconds < 120 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
  return (
    `Measured on ${date} with Node ${node} on ${machine}, at commit ${commit}, in ${span}; ` +
    `load of the machine ${load.before.toFixed(1)} before and ${load.after.toFixed(1)} after.`
  );
}

function thisMachine(): string {
  const [cpu] = cpus();
  return `${availableParallelism()} cores (${cpu?.model.trim() ?? process.arch}), ${Math.round(totalmem() / 2 ** 30)} GB`;
}

function commitHere(): string {
  const git = (...args: readonly string[]) =>
    spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" }).stdout?.trim() ?? "";
  const commit = git("rev-parse", "--short", "HEAD") || "unknown";
  // What a run with --page itself writes is no change of what is measured.
  const changes = git("status", "--porcelain", "--", ":/packages", ":/apps");
  return changes === "" ? commit : `${commit} and changes`;
}

/** `PIGATO_QUESTION`: what main.ts was asked, which the program of one question does not see. */
function commandLine(): string {
  const args = process.env.PIGATO_QUESTION ?? process.argv.slice(2).join(" ");
  return `pnpm bench ${args}`.trim();
}
