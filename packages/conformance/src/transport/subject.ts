// The subject of the compliance suite: two implementations, the kind of address between them, and what they cannot do.

import { automatic, libzmq, type Transport, zmtp } from "@pigato/transport";

export type TransportName = "automatic" | "libzmq" | "zmtp";

/** Every implementation, by the name that a separate process uses. */
export const TRANSPORTS: Readonly<Record<TransportName, Transport>> = { automatic, libzmq, zmtp };

export interface Subject {
  readonly router: TransportName;
  readonly dealer: TransportName;
  readonly kind: "tcp" | "ipc" | "inproc";
  readonly can: Abilities;
}

/** Permitted differences between implementations. */
export interface Abilities {
  /** The router reports peers that connect and disconnect, not only undelivered messages. */
  readonly reportPeers: boolean;
  /** The dealer detects the loss of the router, and connects to the next one at the same address. */
  readonly reconnect: boolean;
  /** A frame above the bound disconnects its sender. */
  readonly limitFrames: boolean;
  /** Connected peers stay connected when the router stops listening. */
  readonly keepPeersOnUnbind: boolean;
  /** How many unread messages survive when the other end closes. */
  readonly unreadAtClose: number;
}
