// The path of an ipc address. The system lets one socket bind a path, but a killed process leaves its path behind. A process that
// removes such a path could remove a socket that another process has just bound. libzmq removes every path that it binds.
//
// So every bind and every removal holds a lock: a file next to the path, which only one process can create. It exists for some
// milliseconds. A lock that stays the same for `LOCK_TIMEOUT_MS` belongs to a killed process and is removed.

import { randomUUID } from "node:crypto";
import { type BigIntStats, lstatSync, rmSync } from "node:fs";
import { link, lstat, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { bindError, errorCode } from "./addresses.ts";
import { systemClock } from "./clock.ts";
import { isLinkError } from "./link.ts";
import { setTimeout } from "./timers.ts";

/** Milliseconds after which a lock counts as left behind. */
const LOCK_TIMEOUT_MS = 5000;
/** Milliseconds between two attempts to lock. */
const LOCK_PAUSE_MS = 20;
/** The most sockets that one call examines. */
const MAX_REMOVED = 1000;

/** What is at a path: a socket with a listener, a socket without one, or another file. */
type Occupant = "listener" | "dead-socket" | "other" | undefined;

/**
 * Binds a path that no process listens on. What a killed process left there is removed first; a file never is.
 * @throws LinkError (rejects) if a process listens on the path, or the system refuses
 */
export async function bindPath<Bound>(
  address: string,
  bind: () => Bound | Promise<Bound>,
  lockTimeoutMs: number = LOCK_TIMEOUT_MS,
): Promise<Bound> {
  const path = pathOf(address);
  if (path === undefined) return bind();
  return locked({ address, path, lockTimeoutMs }, async () => {
    const occupant = await occupantOf(path);
    if (occupant === "listener" || occupant === "other") throw bindError(address, { code: "EADDRINUSE" });
    if (occupant === "dead-socket") rmSync(path, { force: true });
    return bind();
  });
}

/** Removes the socket of an address unless a process listens on it. Never rejects: a failure leaves the path to the next bind. */
export async function removePath(address: string): Promise<void> {
  const path = pathOf(address);
  if (path === undefined) return;
  await locked({ address, path, lockTimeoutMs: LOCK_TIMEOUT_MS }, async () => {
    if ((await occupantOf(path)) === "dead-socket") rmSync(path, { force: true });
  }).catch(() => {});
}

/** Removes the sockets in a folder with such a name that belong to this user and that no process listens on. Never rejects. */
export async function removeDeadSockets(folder: string, name: RegExp): Promise<void> {
  const names = (await readdir(folder).catch(() => [])).filter((each) => name.test(each));
  if (names.length === 0) return;
  const bound = await boundPaths();
  for (const found of names.slice(0, MAX_REMOVED)) {
    const path = join(folder, found);
    if (bound.has(path)) continue;
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats?.uid === process.getuid?.()) await removePath(`ipc://${path}`);
  }
}

/** The bound paths that Linux lists for this process. Connecting to one would disturb its listener. */
async function boundPaths(): Promise<ReadonlySet<string>> {
  const table = await readFile("/proc/net/unix", "utf8").catch(() => "");
  return new Set(table.split("\n").map((line) => line.slice(line.indexOf(" /") + 1)));
}

/** `undefined` for another kind of address, for an abstract name, which the system frees, and for a path that libzmq generates. */
function pathOf(address: string): string | undefined {
  if (!address.startsWith("ipc://")) return undefined;
  const path = address.slice("ipc://".length);
  return path.startsWith("@") || path === "*" ? undefined : path;
}

interface LockedPath {
  readonly address: string;
  readonly path: string;
  readonly lockTimeoutMs: number;
}

async function locked<Result>(
  { address, path, lockTimeoutMs }: LockedPath,
  run: () => Promise<Result>,
): Promise<Result> {
  const lock = `${path}.lock`;
  try {
    await acquire(lock, lockTimeoutMs);
    try {
      return await run();
    } finally {
      await rm(lock, { force: true });
    }
  } catch (error) {
    throw isLinkError(error) ? error : bindError(address, error);
  }
}

async function acquire(lock: string, timeoutMs: number): Promise<void> {
  let holder: string | undefined;
  let deadline = 0;
  while (!(await created(lock))) {
    const present = await identityOf(lock);
    // Released meanwhile.
    if (present === undefined) continue;
    if (present !== holder) {
      holder = present;
      deadline = systemClock.now() + timeoutMs;
    } else if (systemClock.now() >= deadline) {
      await removeLeft(lock, holder);
      continue;
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
}

/**
 * Removes a lock that was left behind. Another process may have done so, and locked again, since it was examined. So it is moved aside
 * first, which only one process can do, and put back if it is another one.
 */
async function removeLeft(lock: string, holder: string): Promise<void> {
  const aside = `${lock}.${randomUUID()}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if ((await identityOf(aside)) !== holder) await link(aside, lock).catch(() => {});
  await rm(aside, { force: true });
}

/** Whether this call created the file. */
async function created(lock: string): Promise<boolean> {
  try {
    await (await open(lock, "wx")).close();
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function identityOf(file: string): Promise<string | undefined> {
  const stats: BigIntStats | undefined = await lstat(file, { bigint: true }).catch(() => undefined);
  return stats && `${stats.ino} ${stats.birthtimeNs} ${stats.mtimeNs}`;
}

async function occupantOf(path: string): Promise<Occupant> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isSocket()) return "other";
  return (await isRefused(path)) ? "dead-socket" : "listener";
}

/** Whether the system refuses a connection because no process listens. A listener may be too busy, or belong to another user. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error) => resolve(errorCode(error) === "ECONNREFUSED"));
  });
}
