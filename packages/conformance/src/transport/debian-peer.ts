// A peer on the libzmq that Debian ships, of another version than the one in the package `zeromq`, driven from Python.

import { fileURLToPath } from "node:url";
import { foreignPeers } from "@pigato/testkit/foreign-peers";
import { PeerProcess } from "@pigato/testkit/peer-process";

const PEER = fileURLToPath(new URL("./debian-peer.py", import.meta.url));

/**
 * @param kind one of those at the end of debian-peer.py
 * @param plain a username and a password; without them it uses NULL
 */
export function runDebianPeer(kind: string, address: string, plain: readonly string[] = []): PeerProcess {
  return PeerProcess.program(foreignPeers.python.path, [PEER, kind, address, ...plain]);
}
