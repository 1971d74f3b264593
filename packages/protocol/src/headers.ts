// The headers of a request, between its tagged frame (P-TAG-3) and the options of peers that do not read that frame.

import { isJsonText } from "./dialects/json-text.ts";
import { headersIn } from "./dialects/pigato/tags.ts";
import { joined } from "./dialects/raw-body.ts";
import type { Frame, Frames } from "./frame.ts";
import { writeText } from "./ids.ts";

/** Headers as an object: names and their values, which the broker does not read. */
export type HeaderFields = Readonly<Record<string, string>>;

/** The most bytes of the JSON of all headers. */
export const MAX_HEADERS_BYTES = 8_192;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const MEMBER: Frame = writeText(',"headers":');
const FIRST_MEMBER: Frame = writeText('{"headers":');
const END: Frame = writeText("}");

/** How the headers in a trailer exceed the bound. @param trailer options, headers and other frames */
export function excessOfHeaders([, headers]: Frames): string | undefined {
  const bytes = headers === undefined ? 0 : headersIn(headers).length;
  if (bytes <= MAX_HEADERS_BYTES) return undefined;
  return `its headers have ${bytes} bytes as JSON; the most is ${MAX_HEADERS_BYTES}`;
}

/** The trailer with the headers in the options. Joins the bytes, unless they would change other options: headers that are no JSON object are left out. */
export function withHeadersInOptions([options, headers, ...others]: Frames): Frames {
  if (options === undefined || headers === undefined) return options === undefined ? [] : [options];
  const json = headersIn(headers);
  if (json[0] !== OPEN || !isJsonText(json)) return [options, ...others];
  const isObject = options.length > 2 && options[0] === OPEN && options[options.length - 1] === CLOSE;
  const head = isObject ? [options.subarray(0, -1), MEMBER] : [FIRST_MEMBER];
  return [joined([...head, json, END]), ...others];
}
