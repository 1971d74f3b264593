// Runs a server that is a program of its own, for as long as this process lives.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints when it serves. */
  readonly ready: RegExp;
}

/** Debian keeps daemons where not every user's PATH looks. */
const FOLDERS = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** Where a program is installed, if it is. */
export function installed(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** @returns resolves to its process id when it serves */
export function runServer({ program, args, env, ready }: ServerCommand): Promise<number> {
  // Detached: in a group of its own, with all that it starts.
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const server = spawn(program, args, { env: { ...process.env, ...env }, stdio, detached: true });
  process.on("exit", () => {
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGKILL");
  });
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    for (const stream of [server.stdout, server.stderr]) {
      createInterface(stream).on("line", (line) => {
        if (said.length < 50) said.push(line);
        if (ready.test(line) && server.pid !== undefined) resolve(server.pid);
      });
    }
    server.on("error", reject);
    server.on("exit", (code) => reject(new Error(`${program} ended with ${code}: ${said.join("\n")}`)));
  });
}

/** A folder for what a server writes, which goes with this process. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pigato-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 2 }));
  return folder;
}

/** For servers that cannot choose one themselves. Nobody else should take it in the moment between. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
