// The headers of a request, from what callers pass to the frame that carries them.

import { type Frame, UsageError } from "@pigato/protocol";
import type { HeaderFields } from "@pigato/protocol/internal";
import { hasControlCharacter, headersIn, MAX_HEADERS_BYTES, writeHeaders } from "@pigato/protocol/internal";

export function isHeaders(value: unknown): value is HeaderFields {
  if (typeof value !== "object" || value === null) return false;
  // Excludes a Map, or the Headers of fetch, whose entries are not properties. Objects of another realm have another prototype.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype === "object" && prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  return !Array.isArray(value) && Object.values(value).every((header) => typeof header === "string");
}

/** @throws UsageError for names that are equal but for their case, for control characters, and beyond the bound */
export function encodeHeaders(headers: HeaderFields): Frame | undefined {
  const entries = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  if (entries.length === 0) return undefined;
  const names = new Set<string>();
  for (const [name, value] of entries) {
    if (names.has(name))
      throw new UsageError(`headers has the name ${JSON.stringify(name)} twice: case does not count`);
    if (name === "" || hasControlCharacter(name) || hasControlCharacter(value)) {
      throw new UsageError(`headers must have names, and no control characters: ${JSON.stringify(name)}`);
    }
    names.add(name);
  }
  const frame = writeHeaders(JSON.stringify(Object.fromEntries(entries)));
  const bytes = headersIn(frame).length;
  if (bytes <= MAX_HEADERS_BYTES) return frame;
  throw new UsageError(`headers of ${bytes} bytes as JSON cannot be sent; the most is ${MAX_HEADERS_BYTES}`);
}
