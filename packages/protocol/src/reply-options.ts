// The options frame of a reply, of which the broker reads one field. Whatever else a worker put there travels on untouched.

import type { Frame } from "./frame.ts";
import { decodePayload } from "./payload.ts";
import { MAX_OPTIONS_BYTES } from "./request-options.ts";

/** The most milliseconds for which a reply may be kept: a larger number counts as this one, nearly 25 days. */
export const MAX_CACHE_MS = 2_147_483_647;

/** `{}`, as nearly every reply has it. */
const EMPTY_OBJECT_BYTES = 2;

/**
 * Milliseconds for which a reply may be given to equal requests. `undefined`, which is not at all, for everything but a
 * JSON object with a positive number as its `cache`; so for an options frame of more than 65 536 bytes.
 */
export function readCacheMs(options: Frame | undefined): number | undefined {
  if (options === undefined || options.length <= EMPTY_OBJECT_BYTES || options.length > MAX_OPTIONS_BYTES)
    return undefined;
  const value = decodePayload(options);
  if (typeof value !== "object" || value === null || !("cache" in value)) return undefined;
  const { cache } = value;
  return typeof cache === "number" && cache > 0 ? Math.min(cache, MAX_CACHE_MS) : undefined;
}
