// Which version of what runs, for the record.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import type { Entry } from "./roster.ts";
import { installed } from "./server.ts";

/** @returns such as "nats 2.29.3, nats-server 2.9.10" */
export function versionsOf({ packages, needs }: Entry): string {
  const own = packages.map(nameAndVersion);
  return [...own, ...(needs === undefined ? [] : [`${needs} ${serverVersion(needs)}`])].join(", ");
}

/** Looked for as Node does: packages need not let anyone read their package.json. */
function nameAndVersion(name: string): string {
  for (let folder = new URL("./", import.meta.url); ; folder = new URL("../", folder)) {
    const file = new URL(`node_modules/${name}/package.json`, folder);
    if (existsSync(file)) {
      const found: { readonly name: string; readonly version: string } = JSON.parse(readFileSync(file, "utf8"));
      return `${found.name} ${found.version}`;
    }
    if (folder.pathname === "/") return `${name} of an unknown version`;
  }
}

function serverVersion(program: string): string {
  // What Debian knows, for those that would rather start than tell.
  const { stdout } =
    program === "rabbitmq-server"
      ? spawnSync("dpkg-query", ["--status", program], { encoding: "utf8" })
      : spawnSync(installed(program) ?? program, ["--version"], { encoding: "utf8" });
  return /\d+(\.\d+)+/.exec((stdout ?? "").replace(/^.*^Version:/ms, ""))?.[0] ?? "unknown";
}
