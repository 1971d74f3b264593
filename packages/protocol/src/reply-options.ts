// The options frame of a reply. The broker reads one field; the others travel on untouched.

import { isCodecAlone } from "./body-codec.ts";
import type { Frame } from "./frame.ts";
import { decodePayload } from "./payload.ts";
import { MAX_OPTIONS_BYTES } from "./request-options.ts";

/** The longest time to cache a reply, in milliseconds: almost 25 days. A larger number counts as this. */
export const MAX_CACHE_MS = 2_147_483_647;

/** `{}`, the options of nearly every reply. */
const EMPTY_OBJECT_BYTES = 2;

/**
 * Milliseconds for which the reply also serves equal requests; `undefined` is not at all. Only a JSON object of at most 65 536
 * bytes with a positive number `cache` sets it.
 */
export function readCacheMs(options: Frame | undefined): number | undefined {
  if (options === undefined || options.length <= EMPTY_OBJECT_BYTES || options.length > MAX_OPTIONS_BYTES)
    return undefined;
  // Each chunk of bytes has these.
  if (isCodecAlone(options)) return undefined;
  const value = decodePayload(options);
  if (typeof value !== "object" || value === null || !("cache" in value)) return undefined;
  const { cache } = value;
  return typeof cache === "number" && cache > 0 ? Math.min(cache, MAX_CACHE_MS) : undefined;
}
