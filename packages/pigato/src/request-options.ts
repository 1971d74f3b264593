// The options of a request as classic code writes them, forgiving as the original: what is missing comes from the
// client's `conf` as it is at that moment, what cannot be meant is taken for the nearest thing that can.

import type { CallOptions } from "@pigato/client";

const MAX_TIMEOUT_MS = 2_147_483_647;
const DEFAULT_TIMEOUT_MS = 60_000;
const FLAGS: readonly string[] = ["nocache", "persist", "failFast"];

interface Defaults {
  readonly timeout?: unknown;
  readonly retry?: unknown;
}

/** @param given an object of options; anything else is none */
export function requestOptions(given: unknown, defaults: Defaults): CallOptions {
  const sent: Record<string, unknown> = typeof given === "object" && given !== null ? { ...given } : {};
  for (const flag of FLAGS) {
    if (Object.hasOwn(sent, flag)) sent[flag] = Boolean(sent[flag]);
  }
  const { timeout = defaults.timeout, retry = defaults.retry, workerId } = sent;
  return {
    ...sent,
    timeout: asTimeout(timeout),
    retry: Boolean(retry),
    workerId: workerId === undefined || workerId === null || workerId === "" ? undefined : String(workerId),
    signal: sent.signal instanceof AbortSignal ? sent.signal : undefined,
  };
}

/** Milliseconds, or −1 for no limit. */
function asTimeout(value: unknown): number {
  const milliseconds = value === undefined || value === null ? Number.NaN : Number(value);
  if (Number.isNaN(milliseconds)) return DEFAULT_TIMEOUT_MS;
  if (milliseconds < 0 || milliseconds === Number.POSITIVE_INFINITY) return -1;
  return Math.min(milliseconds, MAX_TIMEOUT_MS);
}
