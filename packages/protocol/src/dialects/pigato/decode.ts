// Decodes frames of the PIGATO dialect. Strict where a mistake could lose a request, lenient where real peers differ:
// missing options, odd status texts, extra frames. The clauses are those of docs/reference/protocol.md.

import { type Frames, MAX_FRAMES } from "../../frame.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { shown, type Violation, violation } from "../../violation.ts";
import { withAddress, withRequestId } from "./decode-ids.ts";
import { clientPartials, clientReply, framedReply, workerPartials, workerReply } from "./decode-replies.ts";
import { clientRequest, framedRequest, workerRequest } from "./decode-requests.ts";
import {
  brokerCancel,
  brokerDisconnect,
  brokerHeartbeat,
  brokerHeartbeatToWorker,
  brokerReady,
  clientHeartbeat,
  clientNotice,
  clientStreaming,
  workerHeartbeat,
  workerReady,
  workerStreaming,
} from "./decode-sessions.ts";
import type { FieldCodec } from "./fields.ts";
import { CLIENT_TAG, isTag, readType, TYPE, WORKER_TAG } from "./wire.ts";

/** At the broker, from a client. */
export function decodeFromClient(fields: FieldCodec, frames: Frames): FromClient | Violation {
  const broken = checkEnvelope(frames, CLIENT_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.REQUEST:
      return clientRequest(fields, frames);
    case TYPE.HEARTBEAT:
      return clientHeartbeat(fields, frames);
    case TYPE.CANCEL:
      return withRequestId(fields, frames[2], (id) => ({ type: "cancel", requestId: id }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return clientStreaming(fields, frames);
    default:
      return violation("P-TYPE-1", `a client sent message type ${shown(frames[1])}`);
  }
}

/** At the broker, from a worker. */
export function decodeFromWorker(fields: FieldCodec, frames: Frames): FromWorker | Violation {
  const broken = checkEnvelope(frames, WORKER_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.READY:
      return workerReady(frames);
    case TYPE.REPLY:
      return workerReply(fields, "final", frames);
    case TYPE.PARTIAL:
      return workerReply(fields, "partial", frames);
    case TYPE.PARTIALS:
      return workerPartials(fields, frames);
    case TYPE.FRAMES:
      return framedReply(fields, "final", frames);
    case TYPE.PARTIAL_FRAMES:
      return framedReply(fields, "partial", frames);
    case TYPE.HEARTBEAT:
      return workerHeartbeat(fields, frames);
    case TYPE.REJECT:
      return withAddress(fields, frames, (address, id) => ({
        type: "reject",
        address,
        requestId: id,
        reason: frames[6],
      }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return workerStreaming(fields, frames);
    default:
      return violation("P-TYPE-1", `a worker sent message type ${shown(frames[1])}`);
  }
}

/** At a client, from the broker. */
export function decodeToClient(fields: FieldCodec, frames: Frames): ToClient | Violation {
  const broken = checkEnvelope(frames, CLIENT_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.REPLY:
      return clientReply(fields, "final", frames);
    case TYPE.PARTIAL:
      return clientReply(fields, "partial", frames);
    case TYPE.PARTIALS:
      return clientPartials(fields, frames);
    case TYPE.HEARTBEAT:
      return brokerHeartbeat(fields, frames);
    case TYPE.NOTICE:
      return clientNotice(fields, frames);
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return clientStreaming(fields, frames);
    default:
      return violation("P-TYPE-1", `the broker sent a client message type ${shown(frames[1])}`);
  }
}

/** At a worker, from the broker. */
export function decodeToWorker(fields: FieldCodec, frames: Frames): ToWorker | Violation {
  const broken = checkEnvelope(frames, WORKER_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.READY:
      return brokerReady(frames);
    case TYPE.REQUEST:
      return workerRequest(fields, frames);
    case TYPE.FRAMES:
      return framedRequest(fields, frames);
    case TYPE.HEARTBEAT:
      return brokerHeartbeatToWorker(fields, frames);
    case TYPE.CANCEL:
      return brokerCancel(fields, frames);
    case TYPE.DISCONNECT:
      return brokerDisconnect(frames);
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return workerStreaming(fields, frames);
    default:
      return violation("P-TYPE-1", `the broker sent a worker message type ${shown(frames[1])}`);
  }
}

function checkEnvelope(frames: Frames, tag: number): Violation | undefined {
  if (frames.length > MAX_FRAMES) {
    return violation("P-MSG-2", `message of ${frames.length} frames; the maximum is ${MAX_FRAMES}`);
  }
  if (!isTag(frames[0], tag))
    return violation(
      "P-MSG-1",
      `the first frame must be "C" from clients and "W" from workers, not ${shown(frames[0])}`,
    );
  return undefined;
}
