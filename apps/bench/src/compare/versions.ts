// Versions of what runs, for the record.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { PeerEntry } from "./peers.ts";
import { installed } from "./server.ts";

/** @returns for example "nats 2.29.3, nats-server 2.9.10" */
export function versionsOf({ packages, needs }: PeerEntry): string {
  const own = packages.map(nameAndVersion);
  return [...own, ...(needs === undefined ? [] : [`${needs} ${serverVersion(needs)}`])].join(", ");
}

/** Searches as Node does, because a package may not export its package.json. */
function nameAndVersion(name: string): string {
  for (let folder = new URL("./", import.meta.url); ; folder = new URL("../", folder)) {
    const file = new URL(`node_modules/${name}/package.json`, folder);
    if (existsSync(file)) {
      const found: { readonly name: string; readonly version: string } = JSON.parse(readFileSync(file, "utf8"));
      return `${found.name} ${found.version}`;
    }
    if (folder.pathname === "/") return `${name} (version unknown)`;
  }
}

function serverVersion(program: string): string {
  // RabbitMQ starts a server to print its version, so ask Debian.
  const { stdout } =
    program === "rabbitmq-server"
      ? spawnSync("dpkg-query", ["--status", program], { encoding: "utf8" })
      : spawnSync(installed(program) ?? program, ["--version"], { encoding: "utf8" });
  return /\d+(\.\d+)+/.exec((stdout ?? "").replace(/^.*^Version:/ms, ""))?.[0] ?? "unknown";
}
