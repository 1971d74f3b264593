// The options of the core. The options of the broker resolve to these; none is optional.

import type { DialectTraits } from "@pigato/protocol/internal";

/** How a worker is chosen for a request. */
export type DispatchMode =
  /** Least in flight; of those, the one that has waited longest. */
  | "load"
  /** The one that has waited longest. */
  | "lru"
  /** The less loaded of two picked at random. */
  | "rand";

/** What happens to a request that every worker of its service has rejected. */
export type WhenDeclined =
  /** It ends with `REJECTED`. */
  | "fail"
  /** It waits, within its timeout, for a new worker. */
  | "wait";

export interface CoreOptions {
  /** How peers of each dialect behave, by the dialect's id. */
  readonly dialects: Readonly<Record<string, DialectTraits>>;
  /** Milliseconds between heartbeats. */
  readonly heartbeatMs: number;
  /** Silent intervals after which a peer counts as gone. */
  readonly heartbeatLiveness: number;
  /** Milliseconds of silence of a worker whose dialect is silent while it works. */
  readonly busyTimeoutMs: number;
  readonly dispatchMode: DispatchMode;
  readonly whenDeclined: WhenDeclined;
  /**
   * Milliseconds that the broker waits for the concurrency of a worker whose READY announced none, and for a reconnected client
   * to repeat its requests before it sends the held replies.
   */
  readonly settleMs: number;
  /** Workers that a request with `retry` may lose. At the bound it fails with `WORKER_LOST`. */
  readonly maxDispatches: number;
  /** The longest timeout. A request that asks for more gets this. */
  readonly maxTimeoutMs: number;
  // At each of the following bounds new requests fail with `BUSY`. An eighth more is kept for clients that have little (accept-request.ts).
  /** Open requests, queued or in flight, of all clients, without stored ones. */
  readonly maxRequests: number;
  /** Open requests of one client, without stored ones. */
  readonly maxRequestsPerClient: number;
  /** Requests for one name, as clients write it, that wait for a worker. */
  readonly maxQueuedPerService: number;
  /** Bytes of all open requests, without stored ones. */
  readonly maxRequestBytes: number;
  /** Of those, for one client. */
  readonly maxRequestBytesPerClient: number;
  /** Stored requests, also those that wait to be stored or deleted. */
  readonly maxStoredRequests: number;
  readonly maxStoredRequestsPerClient: number;
  /** Bytes of stored requests. */
  readonly maxStoredBytes: number;
  readonly maxStoredBytesPerClient: number;
  /** Milliseconds for which a request may be stored. Then it expires. */
  readonly maxStoredMs: number;
  /** Bytes of one frame that the broker accepts, which it announces (P-SIZE-1). */
  readonly maxFrameBytes: number;
  /** As `maxFrameBytes`, of one message. */
  readonly maxMessageBytes: number;
  /** Services that workers offer, summed over all workers. At the bound the broker disconnects a new worker, or refuses its service. */
  readonly maxWorkers: number;
  /** Clients known at once. At the bound a new one's requests fail with `BUSY`. */
  readonly maxClients: number;
  /**
   * Replies to persistent requests held for away clients. At the bound the broker drops the reply that was complete first, or the new
   * one, if its client holds more.
   */
  readonly maxHeldReplies: number;
  /** Of those, for one client. At the bound the broker drops further ones. */
  readonly maxHeldRepliesPerClient: number;
  /** Bytes of all held replies. At the bound the broker drops as for `maxHeldReplies`. */
  readonly maxHeldBytes: number;
  /** Bytes of the replies held for one client. At the bound further ones become a failure or are dropped. */
  readonly maxHeldBytesPerClient: number;
  /** Replies cached for equal requests; 0 disables the cache. At the bound the least recently used one is evicted. */
  readonly cacheMaxEntries: number;
  /** Bytes of all cached replies with their requests. At the bound the least recently used ones are evicted. */
  readonly cacheMaxBytes: number;
  /** Bytes of one reply, with its request and all its partials. A larger one is not cached. */
  readonly cacheMaxReplyBytes: number;
  /** Whether the directory of services is announced. */
  readonly announces: boolean;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

/** The concurrency of a worker that announced none. */
export const ASSUMED_CONCURRENCY = 100;
