// How a worker gets the method of a request that does not read it from the options: in the body, in the form of butler (P-CALL-2).
// Joins bytes and parses nothing, except that peers that fail on anything but JSON get the data checked, as always (D-MAP-9).

import { EMPTY, type Frame, type Frames } from "../frame.ts";
import { writeText } from "../ids.ts";
import { isUndefinedFrame, NULL_FRAME } from "../payload.ts";
import type { RequestOptions } from "../request-options.ts";
import { checkedJson, joined } from "./raw-body.ts";

const HEAD_OF_VALUE: Frame = writeText('{"args":[');
const HEAD_OF_ARRAY: Frame = writeText('{"args":');
const NO_ARGUMENTS: Frame = writeText("[]");
const KEYWORDS: Frame = writeText('],"kwargs":');

const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

interface MethodRequest {
  readonly body: Frames;
  readonly options: Pick<RequestOptions, "method" | "hasArgs">;
}

/**
 * @param isChecked whether data that is not JSON becomes a string
 * @returns `{"args":[data],"kwargs":{},"method":"…"}`
 */
export function methodInBody({ body, options }: MethodRequest, isChecked: boolean): Frame {
  return joined([headOf(options), argumentsOf(body, options, isChecked), tailOf(options)]);
}

/** The same for a worker in Python: an object as the last of several arguments becomes `kwargs` (D-MAP-10). */
export function methodWithKeywords(request: MethodRequest): Frame {
  const { options } = request;
  const split = options.hasArgs === true ? splitKeywords(argumentsOf(request.body, options, true)) : undefined;
  if (split === undefined) return methodInBody(request, true);
  const [positional, keywords] = split;
  return joined([
    HEAD_OF_ARRAY,
    positional,
    KEYWORDS,
    keywords,
    writeText(`,"method":${JSON.stringify(options.method)}}`),
  ]);
}

/** `[1,{"a":2}]` to `[1` and `{"a":2}`; `undefined` if the last item is no object. @param args JSON */
function splitKeywords(args: Frame): readonly [Frame, Frame] | undefined {
  let depth = 0;
  let isText = false;
  /** Where the items before the last one end, and where it starts. */
  let end = 0;
  let start = 0;
  for (let at = 0; at < args.length; at++) {
    const byte = args[at];
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth === 1) end = start = at + 1;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth -= 1;
      if (depth === 0) return isObjectAt(args, start) ? [args.subarray(0, end), args.subarray(start, at)] : undefined;
    } else if (byte === COMMA && depth === 1) {
      end = at;
      start = at + 1;
    }
  }
  return undefined;
}

function isObjectAt(json: Frame, start: number): boolean {
  let at = start;
  while ((json[at] ?? OPEN_OBJECT) <= SPACE) at += 1;
  return json[at] === OPEN_OBJECT;
}

/** By how many bytes `methodInBody` is longer than the data, at most. */
export function methodOverhead(options: MethodRequest["options"]): number {
  return headOf(options).length + NULL_FRAME.length + tailOf(options).length;
}

/** P-BODY-2: an empty payload is `null`, and the bare word `undefined` is no argument. */
function argumentsOf(body: Frames, { hasArgs }: MethodRequest["options"], isChecked: boolean): Frame {
  const [data = EMPTY] = body;
  const isAbsent = isUndefinedFrame(data);
  if (hasArgs === true && (isAbsent || data.length === 0)) return NO_ARGUMENTS;
  if (isAbsent) return EMPTY;
  if (data.length === 0) return NULL_FRAME;
  return isChecked ? checkedJson([data], false) : data;
}

function headOf({ hasArgs }: MethodRequest["options"]): Frame {
  return hasArgs === true ? HEAD_OF_ARRAY : HEAD_OF_VALUE;
}

/** The method comes last: of equal keys, JSON parsers take the last one, so that data cannot smuggle in another method. */
function tailOf({ method, hasArgs }: MethodRequest["options"]): Frame {
  return writeText(`${hasArgs === true ? "" : "]"},"kwargs":{},"method":${JSON.stringify(method)}}`);
}
