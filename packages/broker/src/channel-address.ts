// The default address of the internal channel, which no other broker of this host has. It is known before the broker starts, so that
// core services can be created with it.
//
// It is a path among the temporary files, where the other users of the host cannot connect. Where no such file can be created, as in
// a read-only container and on Windows, it is a random port of the loopback interface: a default must not need a folder. Deno asks
// for two permissions for a file, so it is a port there, too.

import { randomInt, randomUUID } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { removeDeadSockets } from "@pigato/transport";

/** Below the ephemeral ports of operating systems, and rarely used by services. */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
/** The system's bound for the path of a socket: 107 bytes on Linux, 103 on others. */
const MAX_PATH_BYTES = 103;
const OWN_NAME = /^pigato-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.sock$/;

/** @param folder for temporary files @defaultValue the system's */
export function newChannelAddress(platform: NodeJS.Platform | "deno" = ownPlatform(), folder?: string): string {
  const path = platform === "win32" || platform === "deno" ? undefined : newPath(folder ?? tmpdir());
  return path === undefined ? `tcp://127.0.0.1:${randomInt(FIRST_PORT, LAST_PORT + 1)}` : `ipc://${path}`;
}

function ownPlatform(): NodeJS.Platform | "deno" {
  return process.versions.deno === undefined ? process.platform : "deno";
}

/** `undefined` if there can be no socket in the folder. */
function newPath(folder: string): string | undefined {
  const path = join(folder, `pigato-${randomUUID()}.sock`);
  return isWritable(folder) && Buffer.byteLength(path) <= MAX_PATH_BYTES ? path : undefined;
}

/** Removes the default paths that killed brokers left in the folder of this address. Has no effect for an address that is no default. */
export async function removeLeftChannels(address: string): Promise<void> {
  const path = address.slice("ipc://".length);
  if (address.startsWith("ipc://") && OWN_NAME.test(basename(path))) await removeDeadSockets(dirname(path), OWN_NAME);
}

function isWritable(folder: string): boolean {
  try {
    // With the slash, a file is no folder.
    accessSync(join(folder, "/"), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
