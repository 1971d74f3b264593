// Programs in Python: peers on pyzmq, an independent stack.

import type { PeerProcess } from "@pigato/testkit/peer-process";
import { runPython } from "../support/spawn.ts";
import type { DialectClient, DialectName, DialectWorker, ReceivedReply } from "./peers.ts";

const PEER = new URL("./python/peer.py", import.meta.url);

/** Socket options for security, by their names in pyzmq. */
export type SocketOptions = Readonly<Record<string, string>>;

function runPeer(security: SocketOptions, ...args: readonly string[]): PeerProcess {
  return runPython(PEER, args, { PEER_SECURITY: JSON.stringify(security) });
}

async function readTexts(peer: PeerProcess): Promise<string[]> {
  const texts: string[] = JSON.parse(await peer.nextLine());
  return texts.map(String);
}

export function pythonClient(dialect: DialectName, address: string, security: SocketOptions = {}): DialectClient {
  const peer = runPeer(security, "client", dialect, address);
  return {
    async request(service, ...body) {
      peer.writeLine(JSON.stringify([service, ...body]));
    },
    async receive(): Promise<ReceivedReply> {
      const [kind, ...body] = await readTexts(peer);
      if (kind === "partial" || kind === "final" || kind === "error") return { kind, body };
      throw new Error(`the Python peer received ${kind}`);
    },
    close: () => peer.signal("SIGKILL"),
  };
}

export function pythonWorker(
  dialect: DialectName,
  address: string,
  service: string,
  security: SocketOptions = {},
): DialectWorker {
  const peer = runPeer(security, "worker", dialect, address, service);
  return {
    async next() {
      const body = await readTexts(peer);
      return {
        body,
        async reply(kind, ...body) {
          peer.writeLine(JSON.stringify([kind, ...body]));
          return (await peer.nextLine()) === "true";
        },
      };
    },
    close: () => peer.signal("SIGKILL"),
  };
}
