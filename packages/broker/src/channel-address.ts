// Where the internal channel is, unless its user says: somewhere that no other broker of this host can be, known before
// the broker starts, so that core services can be made with it.

import { randomInt, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Ports that systems do not hand out by themselves, and few services have. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/** A new address at each call: a socket in the file system, or where there are none, a random port of the loopback. */
export function newChannelAddress(platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return `tcp://127.0.0.1:${randomInt(FIRST_PORT, LAST_PORT + 1)}`;
  return `ipc://${join(tmpdir(), `pigato-${randomUUID()}.sock`)}`;
}
