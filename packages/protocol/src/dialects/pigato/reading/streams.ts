// Flow control, and requests whose input is a stream.

import { MAX_CREDIT } from "../../../credit.ts";
import type { Frame } from "../../../frame.ts";
import { type RequestId, readBytes } from "../../../ids.ts";
import type { StreamingMessage, Violation } from "../../../message.ts";
import { NULL_FRAME } from "../../../payload.ts";
import { readType, TYPE } from "../wire.ts";
import { type Frames, withAddress, withRequestId } from "./names.ts";

/** C 9 rid n · C 10 rid data · C 11 rid */
export function clientStreaming(frames: Frames): StreamingMessage | Violation {
  return withRequestId(frames[2], (id) => streaming(id, readType(frames[1]), frames[3]));
}

/** W 9 address '' rid n · W 10 address '' rid data · W 11 address '' rid */
export function workerStreaming(frames: Frames): (StreamingMessage & { readonly address: string }) | Violation {
  return withAddress(frames, (address, id) => ({ ...streaming(id, readType(frames[1]), frames[5]), address }));
}

function streaming(id: RequestId, type: number, content: Frame | undefined): StreamingMessage {
  if (type === TYPE.CREDIT) return { type: "credit", requestId: id, chunks: readCredit(content) };
  if (type === TYPE.INPUT) return { type: "input", requestId: id, body: [content ?? NULL_FRAME] };
  return { type: "input-end", requestId: id };
}

/** A grant that is no positive whole number grants nothing; one of very much, all there is. */
function readCredit(frame: Frame | undefined): number {
  const chunks = frame === undefined || frame.length > 15 ? 0 : Number(readBytes(frame));
  return Number.isSafeInteger(chunks) && chunks > 0 ? Math.min(chunks, MAX_CREDIT) : 0;
}
