// How every dialect says that it was not followed.

import type { Frame } from "../frame.ts";
import { type RequestId, readText } from "../ids.ts";
import type { Violation } from "../message.ts";

/** @param clause the rule that was broken, as docs/reference numbers it */
export function violation(clause: string, detail: string, id?: RequestId): Violation {
  return id === undefined
    ? { type: "violation", clause, detail }
    : { type: "violation", clause, detail, requestId: id };
}

/** A frame in a message to people: short, and harmless whatever its bytes. */
export function shown(frame: Frame | undefined): string {
  if (frame === undefined) return "(none)";
  const text = readText(frame.subarray(0, 32));
  return `${JSON.stringify(text)}${frame.length > 32 ? "…" : ""}`;
}
