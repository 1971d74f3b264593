// The file descriptors of this process: how many it may have, which one a socket has, and whether one is left. The limit is known on
// Linux only.

import { closeSync, openSync, readFileSync } from "node:fs";
import type { Socket } from "node:net";
import { devNull } from "node:os";
import { types } from "node:util";

/** Deno asks for a permission to open a file. A default must not need one. */
const MAY_OPEN_FILES = process.versions.deno === undefined;

/** The most file descriptors of this process (`ulimit -n`); Infinity if unknown. Node raises the soft limit to the hard one. */
export function descriptorLimit(): number {
  if (!MAY_OPEN_FILES) return Number.POSITIVE_INFINITY;
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

/** Why so many files cannot be opened, as the system says it; `undefined` if they can. For failures that do not report their cause. */
export function descriptorShortage(count = 1): Error | undefined {
  if (!MAY_OPEN_FILES) return undefined;
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, "r"));
    return undefined;
  } catch (error) {
    return types.isNativeError(error) && descriptorHint(Reflect.get(error, "code")) !== undefined ? error : undefined;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** What to do about an error with this code of the system, if it means that no file descriptor is left. */
export function descriptorHint(code: unknown): string | undefined {
  switch (code) {
    case "EMFILE":
      return "this process may open no more files: close some, or raise the limit (ulimit -n)";
    case "ENFILE":
      return "this system may open no more files: close some, or raise its limit";
    default:
      return undefined;
  }
}
