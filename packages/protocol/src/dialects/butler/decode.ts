// Decodes what butler peers send.

import { type Frame, type Frames, MAX_FRAMES } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import type { FromClient, FromWorker } from "../../message.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import { shown, sizeOf, type Violation, violation } from "../../violation.ts";
import type { Role } from "../dialect.ts";
import { RAW_TRAILER } from "../raw-body.ts";
import { errorIn, NO_FUNCTION } from "./errors.ts";
import { HEARTBEAT, isVersionedId, MMI_PREFIX, NOT_FOUND, READY, REPLY, REQUEST_FRAMES } from "./wire.ts";

/** The longest timeout of a butler request, in milliseconds; a later expiration counts as this. */
const LONGEST_MS = 24 * 60 * 60 * 1000;

export function detectClient(frames: Frames): Role | undefined {
  return frames.length === REQUEST_FRAMES && frames[0]?.length === 0 && isVersionedId(frames[1]) ? "client" : undefined;
}

export function detectWorker(frames: Frames): Role | undefined {
  const command = commandOf(frames);
  return command === READY || command === HEARTBEAT || command === REPLY ? "worker" : undefined;
}

/**
 * '' version:id service expiration body
 * @param wallMs milliseconds since 1970; an expiration is a point in time
 */
export function decodeFromClient(frames: Frames, wallMs: number): FromClient | Violation {
  const [delimiter, id, service, expiration, body] = frames;
  const isWhole = frames.length === REQUEST_FRAMES && delimiter?.length === 0;
  if (!isWhole || id === undefined || !isVersionedId(id) || expiration === undefined || body === undefined) {
    return violation("D-BUT-2", `request of ${frames.length} frames with the id ${shown(id)}`);
  }
  if (!isName(service)) {
    return violation("D-BUT-2", `request to a service of ${sizeOf(service)}`);
  }
  const options = { ...DEFAULT_REQUEST_OPTIONS, timeoutMs: timeLeft(expiration, wallMs), failFast: true };
  const name = readBytes(service);
  if (name.startsWith(MMI_PREFIX)) {
    // Butler names the service in the service frame, MDP in the body. The reply has no id, so the name serves as one.
    return {
      type: "request",
      service: serviceName("mmi.service"),
      requestId: requestId(name),
      body: [writeBytes(name.slice(MMI_PREFIX.length))],
      isRaw: true,
      trailer: RAW_TRAILER,
      options,
    };
  }
  return {
    type: "request",
    service: serviceName(name),
    requestId: requestId(readBytes(id)),
    body: [body],
    isRaw: true,
    trailer: RAW_TRAILER,
    options,
  };
}

/** 01 service · 02 · 04 address '' version:id response */
export function decodeFromWorker(frames: Frames): FromWorker | Violation {
  if (frames.length > MAX_FRAMES) {
    return violation("D-BUT-3", `message of ${frames.length} frames; the maximum is ${MAX_FRAMES}`);
  }
  switch (commandOf(frames)) {
    case READY: {
      const service = frames[1];
      if (!isName(service)) {
        return violation("D-BUT-3", `READY for a service of ${sizeOf(service)}`);
      }
      return { type: "ready", service: serviceName(readBytes(service)), offer: undefined };
    }
    case HEARTBEAT:
      return { type: "heartbeat", concurrency: undefined, update: false };
    case REPLY: {
      const [, address, , , response] = frames;
      if (address === undefined || address.length > MAX_NAME_BYTES || response === undefined) {
        return violation("D-BUT-4", `reply of ${frames.length} frames; it must have 5`);
      }
      return { type: "final", address: readBytes(address), requestId: requestId(""), ...outcomeOf(response) };
    }
    default:
      return violation("D-BUT-3", `a worker sent command ${shown(frames[0])}`);
  }
}

/** `404` means that the worker lacks the function; an exception is the handler's error. */
function outcomeOf(
  response: Frame,
): Pick<FromWorker & { readonly type: "final" }, "status" | "body" | "isRaw" | "isText" | "trailer"> {
  if (response.length === NOT_FOUND.length && readBytes(response) === readBytes(NOT_FOUND)) {
    return { status: -1, body: [NO_FUNCTION], trailer: RAW_TRAILER };
  }
  const error = errorIn(response);
  if (error !== undefined) return { status: -1, body: [error], trailer: RAW_TRAILER };
  return { status: 0, body: [response], isRaw: true, isText: true, trailer: RAW_TRAILER };
}

function commandOf([command]: Frames): number {
  return command?.length === 1 ? (command[0] ?? 0) : 0;
}

/** An expiration that is not a number counts as passed. */
function timeLeft(expiration: Frame, wallMs: number): number {
  const at = expiration.length > 20 ? Number.NaN : Number(readBytes(expiration));
  return Number.isFinite(at) ? Math.min(LONGEST_MS, Math.max(0, at - wallMs)) : 0;
}
