// The options of a broker that bound requests and replies: their number, size and age. At each bound, something documented
// happens; schema.ts declares all other options.

import { integer, type Option } from "@pigato/peer";

export const KIB = 1_024;
const MIB: number = 1_024 * KIB;
const UNLIMITED: number = Number.MAX_SAFE_INTEGER;
/** The longest timeout that clients accept: 24.8 days. */
const MAX_DURATION_MS = 2_147_483_647;

export class RequestBoundsSchema {
  /**
   * Workers that a request with `retry` may lose. At the bound, the request fails with `WORKER_LOST`, so that a request which kills
   * its workers does not kill all of them. @defaultValue 3
   */
  readonly maxDispatches: Option<number> = bound({
    min: 1,
    default: 3,
    help: "workers that a request with retry may lose",
  });

  /**
   * The longest timeout, in milliseconds. A request with a longer one, or with none (`timeout: -1`), expires after this time
   * without any reply. @defaultValue 2 147 483 647
   */
  readonly maxTimeoutMs: Option<number> = integer({
    unit: "ms",
    min: 1,
    max: MAX_DURATION_MS,
    default: MAX_DURATION_MS,
    help: "longest timeout of a request",
  });

  /**
   * Open requests of all clients, without stored ones. At the bound, new ones fail with `BUSY` and `not-sent`; an
   * eighth more is reserved for clients that have few. @defaultValue 1 000 000
   */
  readonly maxRequests: Option<number> = bound({ min: 1, default: 1_000_000, help: "open requests of all clients" });

  /**
   * Open requests of one client, without stored ones. At the bound, its new ones fail with `BUSY` and `not-sent`.
   * @defaultValue 100 000
   */
  readonly maxRequestsPerClient: Option<number> = bound({
    min: 1,
    default: 100_000,
    help: "open requests of one client",
  });

  /**
   * Requests for one service name, as clients write it, that wait for a worker. At the bound, new ones fail with `BUSY` and
   * `not-sent`; an eighth more is reserved for clients with few open requests. @defaultValue 250 000
   */
  readonly maxQueuedPerService: Option<number> = bound({
    min: 0,
    default: 250_000,
    help: "queued requests for one service name",
  });

  /**
   * Bytes of all open requests, without stored ones. At the bound, new ones fail with `BUSY` and `not-sent`; an
   * eighth more is reserved for clients that have few. @defaultValue 1 GiB
   */
  readonly maxRequestBytes: Option<number> = bound({
    unit: "bytes",
    min: 1,
    default: 1_024 * MIB,
    help: "size of all open requests",
  });

  /**
   * Bytes of the open requests of one client, without stored ones. At the bound, its new ones fail with `BUSY` and
   * `not-sent`. @defaultValue 512 MiB
   */
  readonly maxRequestBytesPerClient: Option<number> = bound({
    unit: "bytes",
    min: 1,
    default: 512 * MIB,
    help: "size of the open requests of one client",
  });

  /**
   * Requests in the store, of all clients, connected or not. At the bound, new ones with `persist` fail with `BUSY` and
   * `not-sent`; an eighth more is reserved for clients that have few. Other requests are not affected.
   * @defaultValue 250 000
   */
  readonly maxStoredRequests: Option<number> = bound({
    min: 0,
    default: 250_000,
    help: "stored requests of all clients",
  });

  /**
   * Requests in the store of one client. At the bound, its new ones with `persist` fail with `BUSY` and `not-sent`.
   * @defaultValue 50 000
   */
  readonly maxStoredRequestsPerClient: Option<number> = bound({
    min: 0,
    default: 50_000,
    help: "stored requests of one client",
  });

  /**
   * Bytes of the requests in the store. At the bound, new ones with `persist` fail with `BUSY` and
   * `not-sent`; an eighth more is reserved for clients that have few. @defaultValue 256 MiB
   */
  readonly maxStoredBytes: Option<number> = bound({
    unit: "bytes",
    min: 1,
    default: 256 * MIB,
    help: "size of all stored requests",
  });

  /**
   * Bytes of the requests in the store of one client. At the bound, its new ones with `persist` fail with `BUSY` and
   * `not-sent`. @defaultValue 64 MiB
   */
  readonly maxStoredBytesPerClient: Option<number> = bound({
    unit: "bytes",
    min: 1,
    default: 64 * MIB,
    help: "size of the stored requests of one client",
  });

  /**
   * Milliseconds for which a request may be stored, over all restarts of the broker. Then it fails with `DEADLINE_EXCEEDED`, and
   * the broker deletes it, whatever its timeout. @defaultValue 604 800 000
   */
  readonly maxStoredMs: Option<number> = integer({
    unit: "ms",
    min: 1,
    max: UNLIMITED,
    default: 604_800_000,
    help: "time that a request may be stored",
  });

  /**
   * Replies to stored requests that the broker holds for disconnected clients. At the bound, it drops the one that was
   * completed first, or the new one, if its client holds more. @defaultValue 100 000
   */
  readonly maxHeldReplies: Option<number> = bound({
    min: 0,
    default: 100_000,
    help: "replies held for disconnected clients",
  });

  /** Held replies for one client. At the bound, the broker drops its further ones. @defaultValue 10 000 */
  readonly maxHeldRepliesPerClient: Option<number> = bound({
    min: 0,
    default: 10_000,
    help: "replies held for one client",
  });

  /** Bytes of all held replies. At the bound, the broker drops those that were completed first, or the new one, if its client holds more. @defaultValue 256 MiB */
  readonly maxHeldBytes: Option<number> = bound({
    unit: "bytes",
    min: 0,
    default: 256 * MIB,
    help: "size of all held replies",
  });

  /**
   * Bytes of the held replies for one client. A reply that does not fit ends with `BUSY`, or is dropped.
   * @defaultValue 16 MiB
   */
  readonly maxHeldBytesPerClient: Option<number> = bound({
    unit: "bytes",
    min: 0,
    default: 16 * MIB,
    help: "size of the replies held for one client",
  });

  /** Cached replies; 0 disables the cache. At the bound, the broker evicts the least recently used. @defaultValue 10 000 */
  readonly cacheMaxEntries: Option<number> = integer({
    min: 0,
    // The table is allocated at its full size.
    max: 10_000_000,
    default: 10_000,
    help: "cached replies, 0 for none",
  });

  /**
   * Bytes of all cached replies with their requests. At the bound, the broker evicts the least recently used.
   * @defaultValue 64 MiB
   */
  readonly cacheMaxBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: 64 * MIB,
    help: "size of all cached replies",
  });

  /** Bytes of one cached reply, with its request and all its partials. A larger one is not cached. @defaultValue 1 MiB */
  readonly cacheMaxReplyBytes: Option<number> = bound({
    unit: "bytes",
    min: KIB,
    default: MIB,
    help: "size of one cached reply",
  });
}

/** An option that bounds something. */
export function bound(spec: {
  readonly unit?: "bytes";
  readonly min: number;
  readonly default: number;
  readonly help: string;
}): Option<number> {
  return integer({ ...spec, max: UNLIMITED });
}
