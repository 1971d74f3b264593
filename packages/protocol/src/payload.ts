// The JSON body codec. Bodies are JSON text, as every classic peer speaks it, with three oddities of old peers that
// must be read: an empty frame is `null`, the bare word `undefined` is `undefined`, and anything else that is no JSON
// is NOT_JSON, never an exception.

import { UsageError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { readText, writeText } from "./ids.ts";

/** What `decodePayload` returns for bytes that are not JSON. */
export const NOT_JSON: unique symbol = Symbol("not JSON");

export const NULL_FRAME: Frame = writeText("null");
/** What `JSON.stringify(undefined)` becomes on the classic wire. */
export const UNDEFINED_FRAME: Frame = writeText("undefined");

/**
 * A value as JSON. A Buffer becomes `{"type":"Buffer","data":[…]}`, as on the classic wire.
 * @param absent the frame for a value that JSON has no text for: `undefined`, a function, a symbol
 * @throws UsageError for what JSON cannot carry: cycles, a BigInt, a `toJSON` that throws
 */
export function encodePayload(value: unknown, absent: Frame): Frame {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "a toJSON threw something that is no Error";
    throw new UsageError(`data cannot be written as JSON: ${reason}`, { cause });
  }
  return text === undefined ? absent : writeText(text);
}

/** The value of a body, or `NOT_JSON`. */
export function decodePayload(frame: Frame): unknown {
  if (frame.length === 0) return null;
  try {
    // Reading is inside, too: a frame of more than half a gigabyte makes no string.
    return JSON.parse(readText(frame));
  } catch {
    return isUndefinedFrame(frame) ? undefined : NOT_JSON;
  }
}

/** Whether the frame is the bare word `undefined`, which no JSON parser reads. */
export function isUndefinedFrame(frame: Frame): boolean {
  return frame.length === 9 && readText(frame) === "undefined";
}
