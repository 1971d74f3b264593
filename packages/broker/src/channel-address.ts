// The default address of the internal channel: one that no other broker of this host has, known before the broker starts, so that
// core services can be created with it.

import { randomInt, randomUUID } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Below the ephemeral ports of operating systems, and rarely used by services. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;

/** Returns a new address at each call: an ipc socket, or on Windows a random port of the loopback interface. */
export function newChannelAddress(platform: NodeJS.Platform = process.platform): string {
  if (platform === "win32") return `tcp://127.0.0.1:${randomInt(FIRST_PORT, LAST_PORT + 1)}`;
  return `ipc://${join(tmpdir(), `pigato-${randomUUID()}.sock`)}`;
}
