// What the compliance suite is run on: two implementations that meet over one kind of address, and what they cannot do.

import { automatic, libzmq, type Transport, zmtp } from "@pigato/transport";

export type TransportName = "automatic" | "libzmq" | "zmtp";

/** Every implementation, by the name under which a process of its own finds it. */
export const TRANSPORTS: Readonly<Record<TransportName, Transport>> = { automatic, libzmq, zmtp };

export interface Subject {
  readonly router: TransportName;
  readonly dealer: TransportName;
  readonly kind: "tcp" | "ipc" | "inproc";
  readonly can: Abilities;
}

/** Where implementations differ and the contract lets them. */
export interface Abilities {
  /** The router reports peers that connect and disconnect, not only messages that it cannot deliver. */
  readonly reportPeers: boolean;
  /** The dealer notices that the router is gone, and finds the next one at the same address. */
  readonly reconnect: boolean;
  /** Frames over the bound cut their sender off. */
  readonly limitFrames: boolean;
  /** Peers that are connected stay when the router stops listening. */
  readonly keepPeersOnUnbind: boolean;
  /** How many messages may be unread at one end when the other closes, without being lost. */
  readonly unreadAtClose: number;
}
