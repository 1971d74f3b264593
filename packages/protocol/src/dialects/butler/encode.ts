// What butler peers are sent. Clients have one frame for a response, so a body of several becomes a JSON array; partials
// are left out, and so is what they did not ask to know: that a request expired, which they have noticed themselves.

import { EMPTY, type Frame, type FrameToSend } from "../../frame.ts";
import { writeBytes, writeText } from "../../ids.ts";
import type { ToClient, ToWorker } from "../../message.ts";
import { singleFrame } from "../bridge.ts";
import { exceptionOf } from "./errors.ts";
import { HEARTBEAT_FRAME, isVersionedId, MMI_PREFIX, NOT_FOUND, RECONNECT_FRAME, VERSION_PREFIX } from "./wire.ts";

const HAS_WORKER: Frame = writeBytes("200");
const HAS_NONE: Frame = writeBytes("400");
/** What a worker is told of a request that never expires, in milliseconds from now. */
const NEVER_MS = 24 * 60 * 60 * 1000;

export function encodeToClient(message: ToClient): FrameToSend[] | undefined {
  switch (message.type) {
    case "final": {
      const { requestId, status, body } = message;
      if (requestId.startsWith(MMI_PREFIX))
        return [EMPTY, writeBytes(requestId.slice(MMI_PREFIX.length)), mmiCode(body)];
      const id = writeBytes(requestId);
      if (status === 0) return [EMPTY, id, singleFrame(body)];
      return [EMPTY, id, status === 404 ? NOT_FOUND : exceptionOf(body[0])];
    }
    case "failure": {
      const { code, message: text } = message.failure;
      if (code === "UNAVAILABLE") return [EMPTY, NOT_FOUND];
      if (code === "DEADLINE_EXCEEDED") return undefined;
      const error = writeText(JSON.stringify({ name: code, message: text }));
      return [EMPTY, writeBytes(message.requestId), exceptionOf(error)];
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

/** @param wallMs milliseconds since 1970, by which the expiration counts */
export function encodeToWorker(message: ToWorker, wallMs: number): FrameToSend[] | undefined {
  switch (message.type) {
    case "request": {
      const { address, service, requestId, body, options } = message;
      const id = writeBytes(requestId);
      return [
        writeBytes(address),
        EMPTY,
        isVersionedId(id) ? id : writeBytes(VERSION_PREFIX + requestId),
        writeBytes(service),
        writeText(String(Math.round(wallMs + Math.min(options.timeoutMs, NEVER_MS)))),
        singleFrame(body),
      ];
    }
    case "heartbeat":
      return [HEARTBEAT_FRAME];
    case "disconnect":
      return [RECONNECT_FRAME];
    case "ready":
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

/** MDP answers 404 where butler has 400. */
function mmiCode(body: readonly Frame[]): Frame {
  const [code] = body;
  return code !== undefined && code.length === 3 && code[0] === HAS_WORKER[0] ? HAS_WORKER : HAS_NONE;
}
