// What the core must know. The shell's options resolve to these; nothing here is optional.

import type { DialectTraits } from "@pigato/protocol";

/** How a worker is chosen for a request. */
export type DispatchMode =
  /** Least in flight; of those the one that has waited longest. */
  | "load"
  /** The one that has waited longest. */
  | "lru"
  /** The less loaded of two picked at random. */
  | "rand";

/** What becomes of a request that every worker of its service has declined. */
export type WhenDeclined =
  /** It ends with `REJECTED`. */
  | "fail"
  /** It waits, within its timeout, for a worker that is yet to come. */
  | "wait";

export interface CoreOptions {
  /** How peers of each dialect behave, by the dialect's id. */
  readonly dialects: Readonly<Record<string, DialectTraits>>;
  /** Milliseconds between heartbeats. */
  readonly heartbeatMs: number;
  /** Silent intervals after which a peer counts as gone. */
  readonly heartbeatLiveness: number;
  /** Milliseconds that a worker which is silent while it works may be so. */
  readonly busyTimeoutMs: number;
  readonly dispatchMode: DispatchMode;
  readonly whenDeclined: WhenDeclined;
  /**
   * Milliseconds that a worker which announced no concurrency is held back, waiting for the heartbeat that tells; and that
   * a client which is back is given to ask again, before it gets the answers that are held for it.
   */
  readonly settleMs: number;
  /** Open requests, queued or in flight, of all clients. At the bound new ones fail with `BUSY`. */
  readonly maxRequests: number;
  /** Open requests of one client. At the bound its new ones fail with `BUSY`. */
  readonly maxRequestsPerClient: number;
  /** Requests for one name, as clients ask for it, that wait for a worker. At the bound new ones fail with `BUSY`. */
  readonly maxQueuedPerService: number;
  /** Payload bytes of all open requests. At the bound new ones fail with `BUSY`. */
  readonly maxRequestBytes: number;
  /** Registered workers. At the bound a new one is disconnected. */
  readonly maxWorkers: number;
  /** Clients known at once. At the bound a new one's requests fail with `BUSY`. */
  readonly maxClients: number;
  /** Answers to stored requests held for clients that are away. At the bound the one goes that is complete for longest. */
  readonly maxHeldAnswers: number;
  /** Of those, for one client. At the bound further ones are given up. */
  readonly maxHeldAnswersPerClient: number;
  /** Bytes of all held answers. At the bound the ones go that are complete for longest. */
  readonly maxHeldBytes: number;
  /** Bytes of the answers held for one client. At the bound further ones end as a failure or are given up. */
  readonly maxHeldBytesPerClient: number;
  /** Replies kept for equal requests; 0 keeps none. At the bound the least recently used one goes. */
  readonly cacheMaxEntries: number;
  /** Bytes of all kept replies with their requests. At the bound the least recently used ones go. */
  readonly cacheMaxBytes: number;
  /** Bytes of one reply, with its request and all its parts. A larger one is not kept. */
  readonly cacheMaxReplyBytes: number;
  /** Whether it announces who serves what. */
  readonly announces: boolean;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** How peers of a dialect behave. The shell names only dialects that it has put into the options. */
export function traitsOf({ dialects }: CoreOptions, id: string): DialectTraits {
  const traits = dialects[id];
  if (traits === undefined) throw new Error(`the core knows no dialect "${id}"`);
  return traits;
}

/** In-flight requests of a worker that has not said how many it takes. */
export const ASSUMED_CONCURRENCY = 100;
