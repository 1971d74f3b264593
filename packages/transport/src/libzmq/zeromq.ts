// The package `zeromq`, which is optional, and the socket options that several links share.

import nodeModule from "node:module";
import { shortageError } from "../addresses.ts";
import { descriptorShortage } from "../descriptors.ts";
import { LinkError } from "../link.ts";

type Zeromq = typeof import("zeromq");

/** The `require` of a module. */
interface Load {
  (name: string): Zeromq;
  resolve(name: string): string;
}

const PACKAGE = "zeromq";
/** More than libzmq opens for its threads and for a socket. It ends the process if it lacks one of them. */
const DESCRIPTORS = 24;

/** Where the package loads and does not work: in Bun its first socket ends the process, in Deno sockets receive nothing. */
const FOREIGN_RUNTIMES = { bun: "Bun", deno: "Deno" };

/**
 * Loads the package with the first link over libzmq, so that others need neither its binary nor its thread. Loading is
 * synchronous, because creating a link is. Node caches it.
 * @throws LinkError `MISSING_PACKAGE` if it is not installed, `FAILED` if its binary does not load or work, or too few files can be opened
 */
export function zeromq(load: Load = ownRequire(), versions: NodeJS.ProcessVersions = process.versions): Zeromq {
  for (const [name, runtime] of Object.entries(FOREIGN_RUNTIMES)) {
    if (versions[name] !== undefined) throw new LinkError("FAILED", unusableText(runtime));
  }
  const shortage = descriptorShortage(DESCRIPTORS);
  // Without a file descriptor, no package is found, and Node would remember that.
  if (shortage !== undefined) throw shortageError("cannot create a socket of libzmq", shortage);
  try {
    return load(PACKAGE);
  } catch (cause) {
    if (!isInstalled(load)) throw new LinkError("MISSING_PACKAGE", MISSING_TEXT, { cause });
    throw new LinkError("FAILED", `cannot load the package "${PACKAGE}": ${String(cause)}`, { cause });
  }
}

const USES = 'CURVE, PLAIN, `authenticate`, inproc:// addresses and the transport "libzmq"';
const MISSING_TEXT = `the package "${PACKAGE}" is not installed: run \`npm install ${PACKAGE}\`. ${USES} need it`;

function unusableText(runtime: string): string {
  return `the package "${PACKAGE}" does not work in ${runtime}: use Node for ${USES}`;
}

/**
 * A bundle in CommonJS has no `import.meta.url`, and `node --eval` has a global `__filename` that is no path. webpack replaces calls of
 * a `createRequire` that is imported by name.
 */
function ownRequire(): NodeJS.Require {
  const url: unknown = import.meta.url;
  return nodeModule.createRequire(typeof url === "string" ? url : __filename);
}

function isInstalled(load: Load): boolean {
  try {
    load.resolve(PACKAGE);
    return true;
  } catch {
    return false;
  }
}

/**
 * Messages that libzmq queues for one peer, in each direction, beyond the kernel's buffers. It counts messages of any size and
 * does not report how many it holds. A small value makes `slow` and `congested` accurate and bounds the memory that a peer
 * with large messages can take. Too small a value costs throughput, because only a failed send shows a full pipe. With
 * libzmq's default of 1000, a peer that does not read could hold a gigabyte of 1 MiB messages.
 */
const HIGH_WATER_MARK = 128;

/** Milliseconds that a process waits for the last messages when it exits without closing its links. */
const EXIT_LINGER_MS = 1000;

type Numbers<Names extends string> = Readonly<Record<Names, number>>;

export const SHARED_OPTIONS: Numbers<"sendHighWaterMark" | "receiveHighWaterMark" | "linger"> = Object.freeze({
  sendHighWaterMark: HIGH_WATER_MARK,
  receiveHighWaterMark: HIGH_WATER_MARK,
  linger: EXIT_LINGER_MS,
});

/**
 * The dealer's end sends a ZMTP PING every two seconds and closes the connection after six seconds without traffic; its TTL
 * makes the router do the same. libzmq's thread does both, so a busy event loop does not look like a dead peer.
 *
 * A router sends no PING: a ZMTP 3.0 peer does not answer it, and would be disconnected whenever it is idle.
 */
export const DEALER_HEARTBEATS: Numbers<"heartbeatInterval" | "heartbeatTimeout" | "heartbeatTimeToLive"> =
  Object.freeze({
    heartbeatInterval: 2000,
    heartbeatTimeout: 6000,
    heartbeatTimeToLive: 6000,
  });

/** TCP keepalive detects vanished hosts of peers that send no PING: seconds idle, seconds between probes, and probes. */
export const ROUTER_KEEPALIVE: Numbers<
  "tcpKeepalive" | "tcpKeepaliveIdle" | "tcpKeepaliveInterval" | "tcpKeepaliveCount"
> = Object.freeze({
  tcpKeepalive: 1,
  tcpKeepaliveIdle: 10,
  tcpKeepaliveInterval: 5,
  tcpKeepaliveCount: 3,
});
