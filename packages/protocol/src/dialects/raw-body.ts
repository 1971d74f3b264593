// Raw bodies: a PIGATO body is one frame of JSON, a Majordomo body is any bytes in any number of frames (D-MAP-1 to D-MAP-3,
// D-PEER-4). JSON passes byte for byte. The conversion reads the whole body, so it runs only for bodies of another dialect. It
// builds no value of a body, and never throws.

import { UsageError } from "../errors.ts";
import { type Frame, type Frames, isBytes, sameBytes } from "../frame.ts";
import { ownFrames } from "../frame-memory.ts";
import { readText, writeBytes, writeText } from "../ids.ts";
import { decodePayload, encodePayload, isUndefinedFrame, NOT_JSON, NULL_FRAME } from "../payload.ts";
import { excessOfFrame, type SizeBounds } from "../size-bounds.ts";
import { isJsonText } from "./json-text.ts";

const { base64Slice } = Buffer.prototype;

/** The trailer of a raw body: empty options, because old PIGATO workers expect the frame. */
export const RAW_TRAILER: Frames = [writeText("{}")];

/** Prefix of a JSON string that holds bytes: they are a `data:` URL (RFC 2397), which most platforms can decode. */
const BINARY_PREFIX = "data:application/octet-stream;base64,";

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** A control character is `\u0001` in JSON. */
const MAX_GROWTH = 6;
/** The most bytes that a frame grows by independently of its size: quotes, a prefix, a separator. */
const FRAME_GROWTH = 64;
/** The longest string of V8. */
const MAX_STRING = 0x1fff_ffe8;
/** Bytes that are written as base64 at once: a multiple of three. */
const BASE64_BYTES = 3 * 1024 * 1024;

/** An array in JSON. */
const OPENING = writeText("[");
const SEPARATOR = writeText(",");
const CLOSING = writeText("]");

/** The most frames of a body, so that the message with its envelope stays below `MAX_FRAMES`. */
export const MAX_RAW_FRAMES = 50;

/** A raw body as one frame of JSON: several frames become an array, a frame that is not JSON becomes a string. */
export function asJson(body: Frames): Frame {
  const [first, ...others] = body;
  if (first === undefined) return NULL_FRAME;
  if (others.length === 0) return jsonOf(first);
  const pieces: Frame[] = [OPENING, jsonOf(first)];
  for (const frame of others) pieces.push(SEPARATOR, jsonOf(frame));
  return joined([...pieces, CLOSING]);
}

/**
 * A body of any dialect as one frame of JSON, for a peer that fails on anything else (D-MAP-9). A PIGATO body is checked as
 * well: classic peers write `undefined` or nothing for a value without a JSON text.
 */
export function checkedJson(body: Frames, isRaw: boolean | undefined): Frame {
  const [first] = body;
  if (isRaw !== true && (first === undefined || first.length === 0 || isUndefinedFrame(first))) return NULL_FRAME;
  return asJson(body);
}

/**
 * How the JSON of a body exceeds the bounds of its recipient (P-SIZE-1). A string of control characters has six times their bytes, so
 * a large body is measured before it is converted.
 * @param options the options frame
 */
export function excessOfJson(bounds: SizeBounds, body: Frames, options: Frame | undefined): string | undefined {
  const mostBytes = body.reduce((sum, { length }) => sum + length * MAX_GROWTH + FRAME_GROWTH, FRAME_GROWTH);
  if (excessOfFrame(bounds, mostBytes, options) === undefined) return undefined;
  return excessOfFrame(bounds, jsonSizeOf(body), options);
}

/** The size of `asJson(body)`. */
export function jsonSizeOf(body: Frames): number {
  const [first, ...others] = body;
  if (first === undefined) return NULL_FRAME.length;
  if (others.length === 0) return sizeInJson(first);
  return body.reduce((sum, frame) => sum + sizeInJson(frame) + 1, 1);
}

/** A raw body as a value: JSON as its value, text as a string, other bytes as they are, several frames as an array of these. */
export function readRawBody(body: Frames): unknown {
  const [first, ...others] = body;
  if (first === undefined) return null;
  return others.length === 0 ? readRawFrame(first) : body.map(readRawFrame);
}

/**
 * A value as a raw body: a `Uint8Array` is one frame, an array of them is one frame each, any other value is JSON. A value
 * without a JSON text is `null`.
 * @throws UsageError for what JSON cannot carry, and for more than `MAX_RAW_FRAMES` frames
 */
export function writeRawBody(value: unknown): Frames {
  if (isBytes(value)) return [value];
  if (!isFrames(value)) return [encodePayload(value, NULL_FRAME)];
  if (value.length <= MAX_RAW_FRAMES) return value;
  throw new UsageError(`data of ${value.length} frames cannot be sent; the most is ${MAX_RAW_FRAMES}`);
}

function readRawFrame(frame: Frame): unknown {
  const text = readText(frame);
  // The application may keep it.
  if (!isExact(text, frame)) return ownFrames([frame])[0];
  const value = text === "" ? NOT_JSON : decodePayload(frame);
  return value === NOT_JSON || value === undefined ? text : value;
}

function jsonOf(frame: Frame): Frame {
  switch (formOf(frame)) {
    case "json":
      return frame;
    case "text":
      return writeText(JSON.stringify(readText(frame)));
    default:
      return dataUrlOf(frame);
  }
}

function sizeInJson(frame: Frame): number {
  switch (formOf(frame)) {
    case "json":
      return frame.length;
    case "text":
      return escapedSize(frame);
    default:
      return BINARY_PREFIX.length + Math.ceil(frame.length / 3) * 4 + 2;
  }
}

/** What a frame is in JSON. A text whose JSON is longer than any string counts as bytes. */
function formOf(frame: Frame): "json" | "text" | "bytes" {
  if (frame.length > MAX_STRING || !isExact(readText(frame), frame)) return "bytes";
  if (isJsonText(frame)) return "json";
  return frame.length > MAX_STRING / MAX_GROWTH && escapedSize(frame) > MAX_STRING ? "bytes" : "text";
}

function dataUrlOf(frame: Frame): Frame {
  const pieces: Frame[] = [writeText(`"${BINARY_PREFIX}`)];
  for (let at = 0; at < frame.length; at += BASE64_BYTES) {
    pieces.push(writeBytes(base64Slice.call(frame, at, Math.min(frame.length, at + BASE64_BYTES))));
  }
  return joined([...pieces, writeText('"')]);
}

export function joined(pieces: readonly Frame[]): Frame {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** The size of a text as a JSON string. */
function escapedSize(text: Frame): number {
  let bytes = text.length + 2;
  for (const byte of text) {
    if (byte === QUOTE || byte === BACKSLASH || (byte >= 0x08 && byte <= 0x0d && byte !== 0x0b)) bytes += 1;
    else if (byte < SPACE) bytes += MAX_GROWTH - 1;
  }
  return bytes;
}

/** Whether a frame is the UTF-8 of this text, which was read from it. Bytes that are not UTF-8 are read as U+FFFD. */
function isExact(text: string, frame: Frame): boolean {
  return !text.includes("\uFFFD") || sameBytes(writeText(text), frame);
}

function isFrames(value: unknown): value is Frames {
  return Array.isArray(value) && value.length > 0 && value.every(isBytes);
}
