// The options of a request as classic code writes them. Like the original, it accepts anything: a missing option is read from
// the client's `conf` at that moment, an invalid value counts as the nearest valid one, and unknown options are sent to the
// worker.

import type { CallOptions } from "@pigato/client";
import { CLASSIC_OPTIONS, isAbortSignal } from "@pigato/client/internal";

const MAX_TIMEOUT_MS = 2_147_483_647;
const DEFAULT_TIMEOUT_MS = 60_000;
const FLAGS = ["nocache", "persist", "failFast"] as const;

interface Defaults {
  readonly timeout?: unknown;
  readonly retry?: unknown;
}

type ClassicOptions = CallOptions & { readonly [CLASSIC_OPTIONS]: Readonly<Record<string, unknown>> };

/** @param given an object with options; any other value means none */
export function requestOptions(given: unknown, defaults: Defaults): ClassicOptions {
  const { signal, ...sent }: Record<string, unknown> = typeof given === "object" && given !== null ? { ...given } : {};
  const flags = Object.fromEntries(
    FLAGS.filter((flag) => Object.hasOwn(sent, flag)).map((flag) => [flag, Boolean(sent[flag])]),
  );
  const { timeout = defaults.timeout, retry = defaults.retry, workerId } = sent;
  return {
    [CLASSIC_OPTIONS]: sent,
    ...flags,
    timeout: asTimeout(timeout),
    retry: Boolean(retry),
    workerId: workerId === undefined || workerId === null || workerId === "" ? undefined : String(workerId),
    signal: isAbortSignal(signal) ? signal : undefined,
  };
}

/** Milliseconds, or −1 for no limit. */
function asTimeout(value: unknown): number {
  const milliseconds = value === undefined || value === null ? Number.NaN : Number(value);
  if (Number.isNaN(milliseconds)) return DEFAULT_TIMEOUT_MS;
  if (milliseconds < 0 || milliseconds === Number.POSITIVE_INFINITY) return -1;
  return Math.min(milliseconds, MAX_TIMEOUT_MS);
}
