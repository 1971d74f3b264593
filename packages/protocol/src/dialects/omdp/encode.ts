// Encodes what zmq-omdp peers receive. They know no READY echo, no reply to a client's heartbeat and nothing newer. They parse
// all data and errors as JSON, and fail on anything else (D-MAP-9).

import type { FrameToSend } from "../../frame.ts";
import { writeBytes, writeText } from "../../ids.ts";
import type { ToClient, ToWorker } from "../../message.ts";
import { methodInBody } from "../method-body.ts";
import { checkedJson } from "../raw-body.ts";
import { CLIENT, STATUS_OK, TYPE, typeFrame, WORKER } from "./wire.ts";

/** C 3|6 rid 0 data · C 3 rid error · C 4 rid */
export function encodeToClient(message: ToClient): FrameToSend[] | undefined {
  switch (message.type) {
    case "final":
    case "partial": {
      const head = [
        CLIENT,
        typeFrame(message.type === "final" ? TYPE.REPLY : TYPE.PARTIAL),
        writeBytes(message.requestId),
      ];
      const { status, body, isRaw } = message;
      if (status === 0) return [...head, STATUS_OK, checkedJson(body, isRaw)];
      return [...head, status === -1 ? checkedJson(body, isRaw) : writeText(String(status))];
    }
    case "failure":
      return [
        CLIENT,
        typeFrame(TYPE.REPLY),
        writeBytes(message.requestId),
        writeText(JSON.stringify(message.failure.code)),
      ];
    case "request-heartbeat":
      return [CLIENT, typeFrame(TYPE.HEARTBEAT), writeBytes(message.requestId)];
    case "heartbeat":
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

/** W 2 address rid data · W 4 [address rid] · W 5 */
export function encodeToWorker(message: ToWorker): FrameToSend[] | undefined {
  switch (message.type) {
    case "request":
      return [
        WORKER,
        typeFrame(TYPE.REQUEST),
        writeBytes(message.address),
        writeBytes(message.requestId),
        message.hasMethodInBody === true ? methodInBody(message, true) : checkedJson(message.body, message.isRaw),
      ];
    case "heartbeat":
      return [WORKER, typeFrame(TYPE.HEARTBEAT)];
    case "request-heartbeat":
      return [WORKER, typeFrame(TYPE.HEARTBEAT), writeBytes(message.address), writeBytes(message.requestId)];
    case "disconnect":
      return [WORKER, typeFrame(TYPE.DISCONNECT)];
    case "ready":
    case "service-answer":
    case "cancel":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}
