// Request ids, and the addresses by which a broker and a worker identify a request between them.

import type { Frame, Frames } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, type RequestId } from "../../ids.ts";
import { sizeOf, type Violation, violation } from "../../violation.ts";
import type { FieldCodec } from "./fields.ts";

/** Reads `… address '' rid …`, which starts all messages but requests between a broker and a worker. */
export function withAddress<Message>(
  fields: FieldCodec,
  frames: Frames,
  build: (address: string, id: RequestId) => Message | Violation,
): Message | Violation {
  const address = frames[2];
  if (!isAddress(address)) return badAddress(address);
  return withRequestId(fields, frames[4], (id) => build(fields.readAddress(address), id));
}

export function withRequestId<Message>(
  fields: FieldCodec,
  frame: Frame | undefined,
  build: (id: RequestId) => Message | Violation,
): Message | Violation {
  return isName(frame) ? build(fields.readRequestId(frame)) : badRequestId(frame);
}

export function isAddress(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length <= MAX_NAME_BYTES;
}

export function badAddress(frame: Frame | undefined): Violation {
  return violation("P-ADDR-1", `client address of ${sizeOf(frame)}; the maximum is ${MAX_NAME_BYTES}`);
}

export function badRequestId(frame: Frame | undefined): Violation {
  return violation("P-RID-1", `request id of ${sizeOf(frame)}; it must have 1 to ${MAX_NAME_BYTES}`);
}
