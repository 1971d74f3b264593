// How many requests went which way since the broker started. Each request that was accepted ends in exactly one way, so that
// accepted = answered + failed + canceled + expired + open. Requests that were refused were never accepted.

import type { FailureCode } from "@pigato/protocol";

/** How a request ended: answered by a worker or from the cache, canceled by its client, or failed. */
export type RequestOutcome = "answered" | "canceled" | FailureCode;

export class RequestCounts {
  accepted = 0;
  answered = 0;
  canceled = 0;
  expired = 0;
  /** Of the answered ones: from the cache, without a worker. */
  cached = 0;
  readonly failures: Record<FailureCode, number> = noFailures();
  readonly refusals: Record<FailureCode, number> = noFailures();
}

function noFailures(): Record<FailureCode, number> {
  return {
    UNAVAILABLE: 0,
    BUSY: 0,
    DEADLINE_EXCEEDED: 0,
    WORKER_LOST: 0,
    BROKER_LOST: 0,
    REJECTED: 0,
    WORKER_FAILED: 0,
    CANCELED: 0,
    CLOSED: 0,
    INVALID: 0,
    INVALID_ARGUMENT: 0,
    UNIMPLEMENTED: 0,
  };
}

export function sumOf(counts: Readonly<Record<FailureCode, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
