// What a peer of ours makes of a raw body, and a raw body of its values (D-PEER-4): values are JSON, bytes are bytes, and
// several frames are an array.

import { UsageError } from "../errors.ts";
import type { Frame } from "../frame.ts";
import { decodePayload, encodePayload, NULL_FRAME } from "../payload.ts";
import { asJson } from "./bridge.ts";

/** The most frames that a body is written in: with its envelope it stays below what any broker of ours reads. */
export const MAX_RAW_FRAMES = 50;

/** One frame of JSON as its value, one of anything else as a string; several frames as an array of such. */
export function readRawBody(body: readonly Frame[]): unknown {
  return decodePayload(asJson(body));
}

/**
 * A `Uint8Array` as one frame of its bytes, an array of nothing but those as a frame each, any other value as JSON. What JSON
 * has no text for is `null`.
 * @throws UsageError for what JSON cannot carry, and for more than `MAX_RAW_FRAMES` frames
 */
export function writeRawBody(value: unknown): readonly Frame[] {
  if (value instanceof Uint8Array) return [value];
  if (!isFrames(value)) return [encodePayload(value, NULL_FRAME)];
  if (value.length <= MAX_RAW_FRAMES) return value;
  throw new UsageError(`data of ${value.length} frames cannot be sent; the most is ${MAX_RAW_FRAMES}`);
}

function isFrames(value: unknown): value is readonly Frame[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof Uint8Array);
}
