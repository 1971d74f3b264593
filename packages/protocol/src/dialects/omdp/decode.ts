// What zmq-omdp peers send. A client's frames are those of PIGATO; a worker's lack the empty frame and, in an error, the
// status.

import { type Frame, MAX_FRAMES } from "../../frame.ts";
import { MAX_NAME_BYTES, readBytes, requestId, serviceName } from "../../ids.ts";
import type { FromClient, FromWorker, Violation } from "../../message.ts";
import { pigato } from "../pigato/index.ts";
import { shown, violation } from "../violation.ts";
import { readType, TYPE } from "./wire.ts";

type Frames = readonly Frame[];

const NO_TRAILER: Frames = [];

/** C 2 service rid data [opts] · C 4 [rid] */
export function decodeFromClient(frames: Frames): FromClient | Violation {
  const message = pigato.decodeFromClient(frames);
  // Its data is whatever the program sent; JSON only by habit.
  return message.type === "request" ? { ...message, isRaw: true } : message;
}

/** W 1 service · W 3|6 address rid 0 data · W 3 address rid error · W 4 [address rid] · W 5 */
export function decodeFromWorker(frames: Frames): FromWorker | Violation {
  if (frames.length > MAX_FRAMES) {
    return violation("D-OMDP-2", `a message of ${frames.length} frames, the most is ${MAX_FRAMES}`);
  }
  switch (readType(frames[1])) {
    case TYPE.READY: {
      const service = frames[2];
      if (service === undefined || service.length === 0 || service.length > MAX_NAME_BYTES) {
        return violation("D-OMDP-2", `READY for a service of ${service?.length ?? "no"} bytes`);
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
      return violation("D-OMDP-2", `a worker sent the message type ${shown(frames[1])}`);
  }
}

function workerReply(type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const [, , , , status, data] = frames;
  if (status === undefined) return violation("D-OMDP-3", `a reply of ${frames.length} frames, the least is 5`);
  return withAddress(frames, (address, id) => ({
    type,
    address,
    requestId: requestId(id),
    // Without a frame behind it, what stands for the status is the error.
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
    return violation(
      "D-OMDP-3",
      `an address of ${address?.length ?? "no"} and a request id of ${id?.length ?? "no"} bytes`,
    );
  }
  return build(readBytes(address), readBytes(id));
}
