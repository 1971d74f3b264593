// How many file descriptors this process may have, and which one a socket has. Both are known on Linux; elsewhere the bounds that
// follow from them do not apply.

import { readFileSync } from "node:fs";
import type { Socket } from "node:net";

/** The most file descriptors of this process (`ulimit -n`); Infinity if unknown. Node raises the soft limit to the hard one. */
export function descriptorLimit(): number {
  try {
    const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** The file descriptor of an open socket, if Node shows it. */
export function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, "_handle");
  const descriptor: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return typeof descriptor === "number" ? descriptor : undefined;
}
