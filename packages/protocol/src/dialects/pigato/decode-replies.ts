// Replies, from a worker to the broker and from the broker to a client. On the path of every request, measured by
// apps/bench, core.

import { readReplyCodec } from "../../body-codec.ts";
import { type Failure, isDelivery, isFailureCode } from "../../errors.ts";
import { EMPTY, type Frame, type Frames, sameBytes } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, readBytes } from "../../ids.ts";
import type { FromWorker, ToClient } from "../../message.ts";
import { decodePayload, getOwn, isUndefinedFrame, NULL_FRAME } from "../../payload.ts";
import { readCacheMs } from "../../reply-options.ts";
import { type Violation, violation } from "../../violation.ts";
import { badAddress, badRequestId, isAddress, withAddress, withRequestId } from "./decode-ids.ts";
import type { FieldCodec } from "./fields.ts";
import { BROKER_ORIGIN, NO_OPTIONS } from "./wire.ts";

const NO_TRAILER: Frames = [];

/** W 3|6 address '' rid status data [opts [extra …]] */
export function workerReply(fields: FieldCodec, type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const address = frames[2];
  const id = frames[4];
  const status = frames[5];
  const data = frames[6];
  if (status === undefined || data === undefined) {
    return violation("P-REP-1", `reply of ${frames.length} frames; the minimum is 7`);
  }
  if (!isAddress(address)) return badAddress(address);
  if (!isName(id)) return badRequestId(id);
  const reply = {
    type,
    address: fields.readAddress(address),
    requestId: fields.readRequestId(id),
    status: readStatus(status),
    // The bare word `undefined` is no JSON, and classic clients fail on it.
    body: [isUndefinedFrame(data) && isJson(frames[7]) ? NULL_FRAME : data],
    trailer: replyTrailer(frames, 7),
  };
  const cacheMs = readCacheMs(frames[7]);
  return cacheMs === undefined ? reply : { ...reply, cacheMs };
}

/** C 3|6 '' rid status data [opts [extra …]] */
export function clientReply(fields: FieldCodec, type: "final" | "partial", frames: Frames): ToClient | Violation {
  const id = frames[3];
  if (!isName(id)) return badRequestId(id);
  const name = fields.readRequestId(id);
  const status = readStatus(frames[4]);
  const data = frames[5] ?? EMPTY;
  const options = frames[6];
  if (type === "final" && status === -1 && options !== undefined && sameBytes(options, BROKER_ORIGIN)) {
    return { type: "failure", requestId: name, failure: readFailure(data) };
  }
  return { type, requestId: name, status, body: [data], trailer: frames.length > 6 ? frames.slice(6) : NO_TRAILER };
}

/** W 13 address '' rid opts chunk [chunk …] */
export function workerPartials(fields: FieldCodec, frames: Frames): FromWorker | Violation {
  const options = frames[5];
  if (options === undefined || frames.length < 7) {
    return violation("P-REP-9", `partial replies in ${frames.length} frames; the minimum is 7`);
  }
  return withAddress(fields, frames, (address, id) => {
    const chunks = frames.slice(6);
    if (chunks.some(isUndefinedFrame) && isJson(options))
      return violation("P-REP-9", "a partial reply that is not JSON");
    const partials = { type: "partials" as const, address, requestId: id, chunks, options };
    const cacheMs = readCacheMs(options);
    return cacheMs === undefined ? partials : { ...partials, cacheMs };
  });
}

/** W 14|15 address '' rid opts frame [frame …] */
export function framedReply(fields: FieldCodec, type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const options = frames[5];
  if (options === undefined || frames.length < 7) {
    return violation("P-REP-10", `reply in frames of ${frames.length} frames; the minimum is 7`);
  }
  return withAddress(fields, frames, (address, requestId) => {
    const content = { status: 0, body: frames.slice(6), isRaw: true, trailer: replyTrailer([options], 0) };
    const reply = { type, address, requestId, ...content };
    const cacheMs = readCacheMs(options);
    return cacheMs === undefined ? reply : { ...reply, cacheMs };
  });
}

/** C 13 '' rid opts chunk [chunk …] */
export function clientPartials(fields: FieldCodec, frames: Frames): ToClient | Violation {
  return withRequestId(fields, frames[3], (id) => {
    const options = frames[4];
    if (options !== undefined && frames.length > 5) {
      return { type: "partials", requestId: id, chunks: frames.slice(5), options };
    }
    return violation("P-REP-9", `partial replies in ${frames.length} frames; the minimum is 6`, id);
  });
}

/** Whether the options of a reply name no codec of its body. */
function isJson(options: Frame | undefined): boolean {
  return options === undefined || readReplyCodec(options) === undefined;
}

/** A finite number is the status, anything else is success: the original's client reads it almost like this. */
function readStatus(frame: Frame | undefined): number {
  if (frame === undefined || frame.length > MAX_NAME_BYTES) return 0;
  if (frame.length === 1 && frame[0] === 0x30) return 0;
  const status = Number(readBytes(frame));
  return Number.isFinite(status) ? status || 0 : 0;
}

/** Drops the broker's mark, so that no worker can fake a failure of the broker. */
function replyTrailer(frames: Frames, start: number): Frames {
  const options = frames[start];
  if (options === undefined) return NO_TRAILER;
  if (sameBytes(options, BROKER_ORIGIN)) return [NO_OPTIONS, ...frames.slice(start + 1)];
  return frames.slice(start);
}

function readFailure(data: Frame): Failure {
  const value = decodePayload(data);
  const code = getOwn(value, "code");
  const message = getOwn(value, "message");
  const delivery = getOwn(value, "delivery");
  const detail = getOwn(value, "detail");
  return {
    code: isFailureCode(code) ? code : "INVALID",
    message: typeof message === "string" ? message : "the broker failed the request without a message",
    delivery: isDelivery(delivery) ? delivery : "maybe-executed",
    ...(detail === undefined ? {} : { detail }),
  };
}
