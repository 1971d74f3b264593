// The options frame of a request as a typed record, read by the broker and by the worker's handler. Only what is
// written here is looked at; whatever else a client put there travels on untouched.

import { type PeerId, peerIdFromText } from "./ids.ts";

/** Milliseconds that a request may stay without any answer when its client does not say. */
export const DEFAULT_TIMEOUT_MS = 60_000;
/** The most bytes an options frame may have: a larger one is a violation. */
export const MAX_OPTIONS_BYTES = 65_536;

export interface RequestOptions {
  /** Milliseconds without any reply after which the request expires; `Infinity` is never. */
  readonly timeoutMs: number;
  /** Whether to give the request to another worker when its worker is lost. */
  readonly retry: boolean;
  /** The only worker that may handle the request. */
  readonly worker: PeerId | undefined;
  /** Whether to fail with `UNAVAILABLE` at once instead of waiting for a first worker. */
  readonly failFast: boolean;
  /** Whether the broker may not answer from its reply cache. */
  readonly noCache: boolean;
  /** Whether to keep the request in the broker's store until it has ended. */
  readonly persist: boolean;
  /** Whether its client wants to be told how far it has come. */
  readonly notices: boolean;
}

export const DEFAULT_REQUEST_OPTIONS: RequestOptions = Object.freeze({
  timeoutMs: DEFAULT_TIMEOUT_MS,
  retry: false,
  worker: undefined,
  failFast: false,
  noCache: false,
  persist: false,
  notices: false,
});

/** What the original's client sends unless told otherwise. */
const CLASSIC_DEFAULTS = '{"timeout":60000,"retry":0}';

/** Reads the text of an options frame. Text that is not a JSON object, as old peers send it, means the defaults. */
export function parseRequestOptions(text: string): RequestOptions {
  if (text === "" || text === "{}" || text === CLASSIC_DEFAULTS) return DEFAULT_REQUEST_OPTIONS;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return DEFAULT_REQUEST_OPTIONS;
  }
  if (typeof value !== "object" || value === null) return DEFAULT_REQUEST_OPTIONS;
  // `in` rather than a helper with own-property checks: this runs for every request, and was half the cost of decoding
  // one. What JSON.parse makes has none of these names on its prototype.
  const worker = "workerId" in value ? value.workerId : undefined;
  return {
    timeoutMs: timeoutFromWire("timeout" in value ? value.timeout : undefined),
    retry: "retry" in value && Boolean(value.retry),
    worker: typeof worker === "string" && worker !== "" ? peerIdFromText(worker) : undefined,
    failFast: "failFast" in value && Boolean(value.failFast),
    noCache: "nocache" in value && Boolean(value.nocache),
    persist: "persist" in value && Boolean(value.persist),
    notices: "notices" in value && Boolean(value.notices),
  };
}

/** −1, as every negative number, is "never". What is no number is the default. 0 is 0: such a request expires at once. */
export function timeoutFromWire(value: unknown): number {
  if (typeof value !== "number" || Number.isNaN(value)) return DEFAULT_TIMEOUT_MS;
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

export function timeoutToWire(timeoutMs: number): number {
  return timeoutMs === Number.POSITIVE_INFINITY ? -1 : timeoutMs;
}
