// Replies: as a worker sends one, whole or in parts, and as its client gets it, also from a broker that failed the request. On the
// path of every request, measured by apps/bench.

import { type Failure, isDelivery, isFailureCode } from "../../../errors.ts";
import { EMPTY, type Frame, sameBytes } from "../../../frame.ts";
import { MAX_NAME_BYTES, readBytes } from "../../../ids.ts";
import type { FromWorker, ToClient, Violation } from "../../../message.ts";
import { decodePayload, isUndefinedFrame, NULL_FRAME } from "../../../payload.ts";
import { readCacheMs } from "../../../reply-options.ts";
import { violation } from "../../violation.ts";
import { BROKER_ORIGIN, NO_OPTIONS } from "../wire.ts";
import {
  type Frames,
  isAddress,
  isRequestId,
  notAddress,
  notRequestId,
  readAddress,
  readRequestId,
  withAddress,
  withRequestId,
} from "./names.ts";
import { ownField } from "./own-field.ts";

const NO_TRAILER: Frames = [];

/** W 3|6 address '' rid status data [opts [extra …]] */
export function workerReply(type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const address = frames[2];
  const id = frames[4];
  const status = frames[5];
  const data = frames[6];
  if (status === undefined || data === undefined) {
    return violation("P-REP-1", `a reply of ${frames.length} frames, the least is 7`);
  }
  if (!isAddress(address)) return notAddress(address);
  if (!isRequestId(id)) return notRequestId(id);
  const reply = {
    type,
    address: readAddress(address),
    requestId: readRequestId(id),
    status: readStatus(status),
    // The bare word is no JSON: every client would choke on it.
    body: [isUndefinedFrame(data) ? NULL_FRAME : data],
    trailer: replyTrailer(frames, 7),
  };
  const cacheMs = readCacheMs(frames[7]);
  return cacheMs === undefined ? reply : { ...reply, cacheMs };
}

/** C 3|6 '' rid status data [opts [extra …]] */
export function clientReply(type: "final" | "partial", frames: Frames): ToClient | Violation {
  const id = frames[3];
  if (!isRequestId(id)) return notRequestId(id);
  const name = readRequestId(id);
  const status = readStatus(frames[4]);
  const data = frames[5] ?? EMPTY;
  const options = frames[6];
  if (type === "final" && status === -1 && options !== undefined && sameBytes(options, BROKER_ORIGIN)) {
    return { type: "failure", requestId: name, failure: readFailure(data) };
  }
  return { type, requestId: name, status, body: [data], trailer: frames.length > 6 ? frames.slice(6) : NO_TRAILER };
}

/** W 13 address '' rid opts chunk [chunk …] */
export function workerPartials(frames: Frames): FromWorker | Violation {
  const options = frames[5];
  if (options === undefined || frames.length < 7) {
    return violation("P-REP-9", `partial replies in ${frames.length} frames, the least is 7`);
  }
  return withAddress(frames, (address, id) => {
    const chunks = frames.slice(6);
    if (chunks.some(isUndefinedFrame)) return violation("P-REP-9", "a partial reply that is no JSON");
    const partials = { type: "partials" as const, address, requestId: id, chunks, options };
    const cacheMs = readCacheMs(options);
    return cacheMs === undefined ? partials : { ...partials, cacheMs };
  });
}

/** C 13 '' rid opts chunk [chunk …] */
export function clientPartials(frames: Frames): ToClient | Violation {
  return withRequestId(frames[3], (id) => {
    const options = frames[4];
    if (options !== undefined && frames.length > 5) {
      return { type: "partials", requestId: id, chunks: frames.slice(5), options };
    }
    return violation("P-REP-9", `partial replies in ${frames.length} frames, the least is 6`, id);
  });
}

/** A finite number is the status, anything else is success: so, nearly, the original's client reads it. */
function readStatus(frame: Frame | undefined): number {
  if (frame === undefined || frame.length > MAX_NAME_BYTES) return 0;
  if (frame.length === 1 && frame[0] === 0x30) return 0;
  const status = Number(readBytes(frame));
  return Number.isFinite(status) ? status || 0 : 0;
}

/** A worker cannot pass its own error off as the broker's. */
function replyTrailer(frames: Frames, start: number): Frames {
  const options = frames[start];
  if (options === undefined) return NO_TRAILER;
  if (sameBytes(options, BROKER_ORIGIN)) return [NO_OPTIONS, ...frames.slice(start + 1)];
  return frames.slice(start);
}

function readFailure(data: Frame): Failure {
  const value = decodePayload(data);
  const field = (name: string): unknown =>
    typeof value === "object" && value !== null ? ownField(value, name) : undefined;
  const code = field("code");
  const message = field("message");
  const delivery = field("delivery");
  const detail = field("detail");
  return {
    code: isFailureCode(code) ? code : "INVALID",
    message: typeof message === "string" ? message : "the broker failed the request without a message",
    delivery: isDelivery(delivery) ? delivery : "maybe-executed",
    ...(detail === undefined ? {} : { detail }),
  };
}
