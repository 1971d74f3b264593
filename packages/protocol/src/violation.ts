// How a dialect reports a message that breaks its rules: as data, because decoding never throws.

import type { Frame } from "./frame.ts";
import { type RequestId, readText } from "./ids.ts";

/**
 * A message that its dialect does not allow. `requestId` is set when the message names a request that can be answered with
 * an `INVALID` failure.
 */
export interface Violation {
  readonly type: "violation";
  /** The broken clause of docs/reference/protocol.md or dialects.md, e.g. `P-REQ-1`. */
  readonly clause: string;
  readonly detail: string;
  readonly requestId?: RequestId;
}

export function violation(clause: string, detail: string, id?: RequestId): Violation {
  return id === undefined
    ? { type: "violation", clause, detail }
    : { type: "violation", clause, detail, requestId: id };
}

/** A frame for error texts: at most 32 bytes, quoted and escaped. */
export function shown(frame: Frame | undefined): string {
  if (frame === undefined) return "(none)";
  const text = readText(frame.subarray(0, 32));
  return `${JSON.stringify(text)}${frame.length > 32 ? "…" : ""}`;
}

/** The length of a frame for error texts. */
export function sizeOf(frame: Frame | undefined): string {
  return `${frame?.length ?? "no"} bytes`;
}
