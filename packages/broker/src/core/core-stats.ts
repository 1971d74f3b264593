// In a file of its own, so that the public types do not reach the core's.

import type { FailureCode } from "@pigato/protocol";

/**
 * Counts of requests since the start, and of what there is now:
 * `accepted = answered + failed + canceled + expired + open`. Refused requests were never accepted.
 */
export interface CoreStats {
  /** Requests that the broker accepted, with those that it restored from its store. */
  readonly accepted: number;
  /** Ended with a reply of a worker that is no error. */
  readonly answered: number;
  /** The same as `answered`. */
  readonly finished: number;
  /** Of the answered ones: from the cache, without a worker. */
  readonly cached: number;
  /** Ended with a failure, except those that expired. An error of a handler is one, with the code `WORKER_FAILED`. */
  readonly failed: number;
  /** The failed ones by their codes. */
  readonly failures: Readonly<Record<FailureCode, number>>;
  /** Ended because no client waits for the reply any more. */
  readonly canceled: number;
  /** Ended by their timeout, with `DEADLINE_EXCEEDED`. */
  readonly expired: number;
  /** Never accepted: at a bound, with `failFast`, for an unknown worker, while the broker stops, or invalid. */
  readonly refused: number;
  /** The refused ones by the codes that their clients got. */
  readonly refusals: Readonly<Record<FailureCode, number>>;
  /** Accepted and not ended yet. */
  readonly open: number;
  /** Of the open ones: at a worker. */
  readonly inFlight: number;
  readonly workers: number;
  readonly clients: number;
  /** Service names that workers offer or open requests ask for. */
  readonly services: number;
  readonly cachedReplies: number;
  /** Replies to persistent requests, or parts of them, held for clients that are away. */
  readonly heldReplies: number;
}
