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
