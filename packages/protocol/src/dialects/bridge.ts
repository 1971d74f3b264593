// Bodies between dialects: a PIGATO body is one frame of JSON, a Majordomo body any bytes in any number of frames (D-MAP-1
// to D-MAP-3). A body of JSON passes byte for byte. This costs a parse, so it is done for bodies that came from another
// dialect alone.

import { type Frame, sameBytes } from "../frame.ts";
import { readBytes, readText, writeText } from "../ids.ts";
import { decodePayload, NOT_JSON, NULL_FRAME } from "../payload.ts";

/** What stands behind a raw body: empty options, because old PIGATO workers read a frame there. */
export const RAW_TRAILER: readonly Frame[] = [writeText("{}")];

/** A raw body as one frame of JSON: several frames as an array, what is no JSON as a string. */
export function asJson(body: readonly Frame[]): Frame {
  const [first, ...others] = body;
  if (first === undefined) return NULL_FRAME;
  if (others.length > 0) return writeText(`[${body.map((frame) => readText(jsonOf(frame))).join(",")}]`);
  return jsonOf(first);
}

/** A body for a peer that reads one frame, of whatever: a body of several is an array there as well. */
export function singleFrame(body: readonly Frame[]): Frame {
  const [first] = body;
  return body.length === 1 && first !== undefined ? first : asJson(body);
}

function jsonOf(frame: Frame): Frame {
  const value = frame.length === 0 ? NOT_JSON : decodePayload(frame);
  // `undefined` is the bare word, which is no JSON either.
  if (value !== NOT_JSON && value !== undefined) return frame;
  return writeText(JSON.stringify(textOf(frame)));
}

/** UTF-8 text as it is; other bytes as one character each, so that nothing is lost. */
function textOf(frame: Frame): string {
  const text = readText(frame);
  return text.includes("\uFFFD") && !sameBytes(writeText(text), frame) ? readBytes(frame) : text;
}
