// Decodes what zmq-omdp peers send. Frames of clients are those of PIGATO. Frames of workers lack the empty frame and, in an
// error, the status.

import { type Frames, MAX_FRAMES } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, readBytes, requestId, serviceName } from "../../ids.ts";
import type { FromClient, FromWorker } from "../../message.ts";
import { shown, sizeOf, type Violation, violation } from "../../violation.ts";
import type { Dialect } from "../dialect.ts";
import { asJson } from "../raw-body.ts";
import { readType, TYPE } from "./wire.ts";

const NO_TRAILER: Frames = [];

/** C 2 service rid data [opts] · C 4 [rid] */
export function decodeFromClient(pigato: Dialect, frames: Frames): FromClient | Violation {
  const message = pigato.decodeFromClient(frames);
  if (message.type !== "request") return message;
  // The data is any bytes; JSON only by habit. A stored request keeps no mark of that, so its data is converted at once.
  return message.options.persist ? { ...message, body: [asJson(message.body)] } : { ...message, isRaw: true };
}

/** W 1 service · W 3|6 address rid 0 data · W 3 address rid error · W 4 [address rid] · W 5 */
export function decodeFromWorker(frames: Frames): FromWorker | Violation {
  if (frames.length > MAX_FRAMES) {
    return violation("D-OMDP-2", `message of ${frames.length} frames; the maximum is ${MAX_FRAMES}`);
  }
  switch (readType(frames[1])) {
    case TYPE.READY: {
      const service = frames[2];
      if (!isName(service)) {
        return violation("D-OMDP-2", `READY for a service of ${sizeOf(service)}`);
      }
      return { type: "ready", service: serviceName(readBytes(service)), offer: undefined };
    }
    case TYPE.REPLY:
      return workerReply("final", frames);
    case TYPE.PARTIAL:
      return workerReply("partial", frames);
    case TYPE.HEARTBEAT:
      if (frames.length < 4) return { type: "heartbeat", concurrency: undefined, update: false };
      return withAddress(frames, (address, id) => ({ type: "request-heartbeat", address, requestId: requestId(id) }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    default:
      return violation("D-OMDP-2", `a worker sent message type ${shown(frames[1])}`);
  }
}

function workerReply(type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const [, , , , status, data] = frames;
  if (status === undefined) return violation("D-OMDP-3", `reply of ${frames.length} frames; the minimum is 5`);
  return withAddress(frames, (address, id) => ({
    type,
    address,
    requestId: requestId(id),
    // Without a data frame, the frame in the place of the status is the error.
    status: data === undefined ? -1 : 0,
    body: [data ?? status],
    isRaw: true,
    trailer: NO_TRAILER,
  }));
}

function withAddress<Message>(
  [, , address, id]: Frames,
  build: (address: string, id: string) => Message,
): Message | Violation {
  if (address === undefined || address.length > MAX_NAME_BYTES || id === undefined || id.length > MAX_NAME_BYTES) {
    return violation("D-OMDP-3", `client address of ${sizeOf(address)} and request id of ${sizeOf(id)}`);
  }
  return build(readBytes(address), readBytes(id));
}
