// Runs a server program for as long as this process lives.

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
  /** Matches the line that it prints when it accepts connections. */
  readonly ready: RegExp;
}

/** Debian installs daemons in folders that are not in every user's PATH. */
const FOLDERS = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** The path of a program; `undefined` if it is not installed. */
export function installed(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

/** @returns resolves to the process id when the server is ready */
export function runServer({ program, args, env, ready }: ServerCommand): Promise<number> {
  // Detached: a separate process group, so that the signal below reaches every process that the server starts.
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const server = spawn(program, args, { env: { ...process.env, ...env }, stdio, detached: true });
  process.on("exit", () => {
    if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, "SIGKILL");
  });
  return new Promise((resolve, reject) => {
    const output: string[] = [];
    for (const stream of [server.stdout, server.stderr]) {
      createInterface(stream).on("line", (line) => {
        if (output.length < 50) output.push(line);
        if (ready.test(line) && server.pid !== undefined) resolve(server.pid);
      });
    }
    server.on("error", reject);
    server.on("exit", (code) => reject(new Error(`${program} exited with ${code}: ${output.join("\n")}`)));
  });
}

/** A temporary folder for a server, deleted when this process exits. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "pigato-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 2 }));
  return folder;
}

/** For servers that cannot choose a port themselves. Another process could take the port before the server does. */
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
