// The options frame of a request as a typed record, for the broker and the worker's handler. Other fields that a client
// sends travel on untouched.

import { type RequestCodecs, readRequestCodecs } from "./body-codec.ts";
import { hasControlCharacter, isWellFormed, MAX_NAME_BYTES, type PeerId, peerIdFromText, writeText } from "./ids.ts";

/** The timeout of a request whose client sends none, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 60_000;
/** The most bytes of an options frame; a larger one is a violation. */
export const MAX_OPTIONS_BYTES = 65_536;

export interface RequestOptions extends RequestCodecs {
  /** Milliseconds without a reply after which the request expires; `Infinity` is never. */
  readonly timeoutMs: number;
  /** Whether to requeue the request when its worker is lost. */
  readonly retry: boolean;
  /** The only worker that may handle the request. */
  readonly worker: PeerId | undefined;
  /** Whether to fail with `UNAVAILABLE` at once instead of waiting for a first worker. */
  readonly failFast: boolean;
  /** Whether to bypass the broker's reply cache. */
  readonly noCache: boolean;
  /** Whether to keep the request in the broker's store until it ends. */
  readonly persist: boolean;
  /** Whether the client wants notices of its progress. */
  readonly notices: boolean;
  /** Whether chunks of input follow the request (P-STREAM-7). */
  readonly hasInput: boolean;
  // These have a meaning only if the client negotiated `methods` (P-CALL-1).
  /** The method of the service; the service itself if absent. */
  readonly method?: string;
  /** Whether the payload is the array of the method's arguments, instead of its one argument. */
  readonly hasArgs?: boolean;
  /** Milliseconds that the request may wait for a worker (P-TIME-6). */
  readonly acceptTimeoutMs?: number;
  /** The headers as the client wrote them, if they did not travel in a frame of their own (P-TAG-3). */
  readonly headers?: unknown;
  /** Why the method is invalid. */
  readonly flaw?: string;
}

export const DEFAULT_REQUEST_OPTIONS: RequestOptions = Object.freeze({
  timeoutMs: DEFAULT_TIMEOUT_MS,
  retry: false,
  worker: undefined,
  failFast: false,
  noCache: false,
  persist: false,
  notices: false,
  hasInput: false,
});

const METHOD_FLAW = "its method is not text of 1 to 255 bytes without control characters";

/** What the original's client sends by default. */
const CLASSIC_DEFAULTS = '{"timeout":60000,"retry":0}';

/** Reads the text of an options frame. Old peers may send text that is not a JSON object; it means the defaults. */
export function parseRequestOptions(text: string): RequestOptions {
  if (text === "" || text === "{}" || text === CLASSIC_DEFAULTS) return DEFAULT_REQUEST_OPTIONS;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return DEFAULT_REQUEST_OPTIONS;
  }
  if (typeof value !== "object" || value === null) return DEFAULT_REQUEST_OPTIONS;
  // `in` instead of `getOwn`, which took half the time of decoding a request. The prototype of a JSON.parse result has none of
  // these names.
  const worker = "workerId" in value ? value.workerId : undefined;
  const options = {
    timeoutMs: timeoutFromWire("timeout" in value ? value.timeout : undefined),
    retry: "retry" in value && Boolean(value.retry),
    worker: typeof worker === "string" && worker !== "" ? peerIdFromText(worker) : undefined,
    failFast: "failFast" in value && Boolean(value.failFast),
    noCache: "nocache" in value && Boolean(value.nocache),
    persist: "persist" in value && Boolean(value.persist),
    notices: "notices" in value && Boolean(value.notices),
    // Not any truthy value: old clients may have an option of their own with this name.
    hasInput: "input" in value && value.input === 1,
    ...readRequestCodecs(value),
  };
  return "method" in value || "acceptTimeout" in value || "headers" in value
    ? { ...options, ...callFields(value) }
    : options;
}

function isDuration(value: unknown): value is number {
  return typeof value === "number" && value >= 0;
}

/** Whether a text can name a method: 1 to 255 bytes of UTF-8 without control characters. */
export function isMethodName(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > MAX_NAME_BYTES) return false;
  return isWellFormed(value) && !hasControlCharacter(value) && writeText(value).length <= MAX_NAME_BYTES;
}

/** The fields that few requests have. */
function callFields(value: object): Partial<RequestOptions> {
  const acceptTimeoutMs = "acceptTimeout" in value ? value.acceptTimeout : undefined;
  return {
    ...(isDuration(acceptTimeoutMs) && { acceptTimeoutMs }),
    ...("headers" in value && { headers: value.headers }),
    ...("method" in value && methodIn(value)),
  };
}

/** P-CALL-1: unlike other fields, an invalid one is not ignored, because the worker would run something else. */
function methodIn(value: { readonly method: unknown }): Partial<RequestOptions> {
  const { method } = value;
  if (!isMethodName(method)) return { flaw: METHOD_FLAW };
  return "args" in value && value.args ? { method, hasArgs: true } : { method };
}

/** A negative number means never. Anything but a number means the default. A request with 0 expires at once. */
export function timeoutFromWire(value: unknown): number {
  if (typeof value !== "number" || Number.isNaN(value)) return DEFAULT_TIMEOUT_MS;
  return value < 0 ? Number.POSITIVE_INFINITY : value;
}

export function timeoutToWire(timeoutMs: number): number {
  return timeoutMs === Number.POSITIVE_INFINITY ? -1 : timeoutMs;
}
