// Raw bodies: a PIGATO body is one frame of JSON, a Majordomo body is any bytes in any number of frames (D-MAP-1 to D-MAP-3,
// D-PEER-4). JSON passes byte for byte. The conversion parses the body, so it runs only for bodies of another dialect.

import { UsageError } from "../errors.ts";
import { type Frame, type Frames, sameBytes } from "../frame.ts";
import { readBytes, readText, writeText } from "../ids.ts";
import { decodePayload, encodePayload, NOT_JSON, NULL_FRAME } from "../payload.ts";

/** The trailer of a raw body: empty options, because old PIGATO workers expect the frame. */
export const RAW_TRAILER: Frames = [writeText("{}")];

/** The most frames of a body, so that the message with its envelope stays below `MAX_FRAMES`. */
export const MAX_RAW_FRAMES = 50;

/** A raw body as one frame of JSON: several frames become an array, a frame that is not JSON becomes a string. */
export function asJson(body: Frames): Frame {
  const [first, ...others] = body;
  if (first === undefined) return NULL_FRAME;
  if (others.length > 0) return writeText(`[${body.map((frame) => readText(jsonOf(frame))).join(",")}]`);
  return jsonOf(first);
}

/** A body for a peer that reads one frame: a single frame unchanged, several as a JSON array. */
export function singleFrame(body: Frames): Frame {
  const [first] = body;
  return body.length === 1 && first !== undefined ? first : asJson(body);
}

/** A raw body as a value: JSON as its value, other bytes as a string, several frames as an array. */
export function readRawBody(body: Frames): unknown {
  return decodePayload(asJson(body));
}

/**
 * A value as a raw body: a `Uint8Array` is one frame, an array of them is one frame each, any other value is JSON. A value
 * without a JSON text is `null`.
 * @throws UsageError for what JSON cannot carry, and for more than `MAX_RAW_FRAMES` frames
 */
export function writeRawBody(value: unknown): Frames {
  if (value instanceof Uint8Array) return [value];
  if (!isFrames(value)) return [encodePayload(value, NULL_FRAME)];
  if (value.length <= MAX_RAW_FRAMES) return value;
  throw new UsageError(`data of ${value.length} frames cannot be sent; the most is ${MAX_RAW_FRAMES}`);
}

function jsonOf(frame: Frame): Frame {
  const value = frame.length === 0 ? NOT_JSON : decodePayload(frame);
  // `undefined` is the bare word, which is not JSON either.
  if (value !== NOT_JSON && value !== undefined) return frame;
  return writeText(JSON.stringify(textOf(frame)));
}

/** UTF-8 as text; other bytes as one character each, so that nothing is lost. */
function textOf(frame: Frame): string {
  const text = readText(frame);
  return text.includes("\uFFFD") && !sameBytes(writeText(text), frame) ? readBytes(frame) : text;
}

function isFrames(value: unknown): value is Frames {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof Uint8Array);
}
