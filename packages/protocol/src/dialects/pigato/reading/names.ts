// The names in a message: request ids, and the addresses by which a broker and a worker know a request between them.

import type { Frame } from "../../../frame.ts";
import { LastName } from "../../../frame-memo.ts";
import { MAX_NAME_BYTES, type RequestId, requestId } from "../../../ids.ts";
import type { Violation } from "../../../message.ts";
import { violation } from "../../violation.ts";

export type Frames = readonly Frame[];

const ADDRESSES = new LastName();
const REQUEST_IDS = new LastName();

export function readAddress(frame: Frame): string {
  return ADDRESSES.read(frame);
}

export function readRequestId(frame: Frame): RequestId {
  return requestId(REQUEST_IDS.read(frame));
}

/** Reads `… address '' rid …`, the head of all else between a broker and a worker. */
export function withAddress<Message>(
  frames: Frames,
  build: (address: string, id: RequestId) => Message | Violation,
): Message | Violation {
  const address = frames[2];
  if (!isAddress(address)) return notAddress(address);
  return withRequestId(frames[4], (id) => build(readAddress(address), id));
}

export function withRequestId<Message>(
  frame: Frame | undefined,
  build: (id: RequestId) => Message | Violation,
): Message | Violation {
  return isRequestId(frame) ? build(readRequestId(frame)) : notRequestId(frame);
}

export function isAddress(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length <= MAX_NAME_BYTES;
}

export function notAddress(frame: Frame | undefined): Violation {
  return violation("P-ADDR-1", `a client address of ${frame?.length ?? "no"} bytes, the most is ${MAX_NAME_BYTES}`);
}

export function isRequestId(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length > 0 && frame.length <= MAX_NAME_BYTES;
}

export function notRequestId(frame: Frame | undefined): Violation {
  return violation("P-RID-1", `a request id of ${frame?.length ?? "no"} bytes, it has 1 to ${MAX_NAME_BYTES}`);
}
