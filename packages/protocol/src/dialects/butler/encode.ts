// Encodes what butler peers receive: one frame of JSON (D-MAP-9), but for the text of a butler worker. Partials are not sent.
// Neither is DEADLINE_EXCEEDED: the client expires the request itself.

import { EMPTY, type Frame, type Frames, type FrameToSend } from "../../frame.ts";
import { writeBytes, writeText } from "../../ids.ts";
import type { ToClient, ToWorker } from "../../message.ts";
import { methodWithKeywords } from "../method-body.ts";
import { checkedJson } from "../raw-body.ts";
import { errorResponse } from "./errors.ts";
import { HEARTBEAT_FRAME, isVersionedId, MMI_PREFIX, NOT_FOUND, RECONNECT_FRAME, VERSION_PREFIX } from "./wire.ts";

/** Codes of `mmi.` replies. */
const HAS_WORKER: Frame = writeBytes("200");
const NO_WORKER: Frame = writeBytes("400");
/** The expiration of a request that never expires, in milliseconds from now. */
const NEVER_MS = 24 * 60 * 60 * 1000;

export function encodeToClient(message: ToClient): FrameToSend[] | undefined {
  switch (message.type) {
    case "final": {
      const { requestId, status, body, isRaw, isText } = message;
      if (requestId.startsWith(MMI_PREFIX))
        return [EMPTY, writeBytes(requestId.slice(MMI_PREFIX.length)), mmiCode(body)];
      const id = writeBytes(requestId);
      if (status === 0) return [EMPTY, id, isText ? singleFrame(body) : checkedJson(body, isRaw)];
      return [EMPTY, id, errorResponse(checkedJson(body, isRaw))];
    }
    case "failure": {
      const { code, message: text } = message.failure;
      if (code === "UNAVAILABLE") return [EMPTY, NOT_FOUND];
      if (code === "DEADLINE_EXCEEDED") return undefined;
      const error = writeText(JSON.stringify({ name: code, message: text }));
      return [EMPTY, writeBytes(message.requestId), errorResponse(error)];
    }
    case "partial":
    case "heartbeat":
    case "request-heartbeat":
    case "notice":
    case "partials":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

/** @param wallMs milliseconds since 1970; an expiration is a point in time */
export function encodeToWorker(message: ToWorker, wallMs: number): FrameToSend[] | undefined {
  switch (message.type) {
    case "request": {
      const { address, service, requestId, body, isRaw, options } = message;
      const id = writeBytes(requestId);
      return [
        writeBytes(address),
        EMPTY,
        isVersionedId(id) ? id : writeBytes(VERSION_PREFIX + requestId),
        writeBytes(service),
        writeText(String(Math.round(wallMs + Math.min(options.timeoutMs, NEVER_MS)))),
        message.hasMethodInBody === true ? methodWithKeywords(message) : checkedJson(body, isRaw),
      ];
    }
    case "heartbeat":
      return [HEARTBEAT_FRAME];
    case "disconnect":
      return [RECONNECT_FRAME];
    case "ready":
    case "service-answer":
    case "request-heartbeat":
    case "cancel":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

function singleFrame([frame = EMPTY]: Frames): Frame {
  return frame;
}

/** MDP replies 404 where butler has 400. */
function mmiCode(body: Frames): Frame {
  const [code] = body;
  return code !== undefined && code.length === 3 && code[0] === HAS_WORKER[0] ? HAS_WORKER : NO_WORKER;
}
