// The JSON body codec. Three forms of classic peers are read as well: an empty frame is `null`, the bare word `undefined` is
// `undefined`, and anything else that is not JSON is NOT_JSON. Decoding never throws.

import { reasonOf, UsageError } from "./errors.ts";
import type { Frame } from "./frame.ts";
import { readText, writeText } from "./ids.ts";

/** What `decodePayload` returns for bytes that are not JSON. */
export const NOT_JSON: unique symbol = Symbol("not JSON");

export const NULL_FRAME: Frame = writeText("null");
/** What classic peers send for `JSON.stringify(undefined)`. */
export const UNDEFINED_FRAME: Frame = writeText("undefined");

/**
 * A value as JSON. A Buffer becomes `{"type":"Buffer","data":[…]}`, as classic peers send it.
 * @param absent the frame for a value without a JSON text: `undefined`, a function, a symbol
 * @throws UsageError for what JSON cannot carry: cycles, a BigInt, a `toJSON` that throws
 */
export function encodePayload(value: unknown, absent: Frame): Frame {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new UsageError(`data cannot be written as JSON: ${reasonOf(cause)}`, { cause });
  }
  return text === undefined ? absent : writeText(text);
}

/** The value of a body, or `NOT_JSON`. */
export function decodePayload(frame: Frame): unknown {
  if (frame.length === 0) return null;
  try {
    // `readText` throws as well, for a frame of more than 512 MB.
    return JSON.parse(readText(frame));
  } catch {
    return isUndefinedFrame(frame) ? undefined : NOT_JSON;
  }
}

/** Whether the frame is the bare word `undefined`, which no JSON parser reads. */
export function isUndefinedFrame(frame: Frame): boolean {
  return frame.length === 9 && readText(frame) === "undefined";
}

/** An own property of a decoded value; `undefined` if it has none. Ignores the prototype, which a peer cannot set. */
export function getOwn(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
