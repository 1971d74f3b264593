// Reads the options that clients send with their requests. Nearly all requests of a service have equal options, so they are
// cached by their bytes. Handlers may change their object, so each handler gets a copy.

import { decodePayload, type Frame } from "@pigato/protocol";
import { DecodeCache } from "@pigato/protocol/internal";

/** The options that a client sent with its request, unchanged. */
export type SentOptions = Readonly<Record<string, unknown>>;

/** `undefined` for options that contain objects, which a shallow copy would share. */
const FLAT_OPTIONS: DecodeCache<SentOptions | undefined> = new DecodeCache((frame) => {
  const options = parse(frame);
  return Object.values(options).some(isObject) ? undefined : options;
});

/**
 * As lenient as the broker: anything but a JSON object counts as no options.
 * @returns a new object, which the caller may change
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
