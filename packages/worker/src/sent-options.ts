// Reads the options that clients send with their requests. Nearly all requests of a service have the same, so they are
// found by their bytes; but handlers may change what they are given, so each gets an object of its own.

import { decodePayload, type Frame } from "@pigato/protocol";
import { DecodeCache } from "@pigato/protocol/internal";

/** The options that a client sent with its request, as it wrote them. */
export type SentOptions = Readonly<Record<string, unknown>>;

/** `undefined`: they hold objects, of which a shallow copy would share what can be changed. */
const FLAT_OPTIONS: DecodeCache<SentOptions | undefined> = new DecodeCache((frame) => {
  const options = parse(frame);
  return Object.values(options).some(isObject) ? undefined : options;
});

/**
 * Lenient as the broker: what is no JSON object counts as none.
 * @returns an object of the caller's own
 */
export function readSentOptions(frame: Frame | undefined): SentOptions {
  if (frame === undefined || frame.length === 0) return {};
  const options = FLAT_OPTIONS.read(frame);
  return options === undefined ? parse(frame) : { ...options };
}

function parse(frame: Frame): SentOptions {
  const value = decodePayload(frame);
  return isObject(value) && !Array.isArray(value) ? value : {};
}

function isObject(value: unknown): value is SentOptions {
  return typeof value === "object" && value !== null;
}
