// Frames of the PIGATO dialect to messages. Exact where a mistake would cost somebody a request, lenient where real
// peers are known to differ: missing options, odd status texts, extra frames. Clauses are those of
// docs/reference/protocol.md.

import { MAX_FRAMES } from "../../frame.ts";
import type { FromClient, FromWorker, ToClient, ToWorker, Violation } from "../../message.ts";
import { shown, violation } from "../violation.ts";
import { type Frames, withAddress, withRequestId } from "./reading/names.ts";
import { clientPartials, clientReply, workerPartials, workerReply } from "./reading/replies.ts";
import { clientRequest, workerRequest } from "./reading/requests.ts";
import {
  brokerHeartbeat,
  clientHeartbeat,
  clientNotice,
  readOffer,
  workerHeartbeat,
  workerReady,
} from "./reading/sessions.ts";
import { clientStreaming, workerStreaming } from "./reading/streams.ts";
import { CLIENT_TAG, isTag, readType, TYPE, WORKER_TAG } from "./wire.ts";

/** At the broker: what a client sent. */
export function decodeFromClient(frames: Frames): FromClient | Violation {
  const broken = checkEnvelope(frames, CLIENT_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.REQUEST:
      return clientRequest(frames);
    case TYPE.HEARTBEAT:
      return clientHeartbeat(frames);
    case TYPE.CANCEL:
      return withRequestId(frames[2], (id) => ({ type: "cancel", requestId: id }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return clientStreaming(frames);
    default:
      return violation("P-TYPE-1", `a client sent the message type ${shown(frames[1])}`);
  }
}

/** At the broker: what a worker sent. */
export function decodeFromWorker(frames: Frames): FromWorker | Violation {
  const broken = checkEnvelope(frames, WORKER_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.READY:
      return workerReady(frames);
    case TYPE.REPLY:
      return workerReply("final", frames);
    case TYPE.PARTIAL:
      return workerReply("partial", frames);
    case TYPE.PARTIALS:
      return workerPartials(frames);
    case TYPE.HEARTBEAT:
      return workerHeartbeat(frames);
    case TYPE.REJECT:
      return withAddress(frames, (address, id) => ({ type: "reject", address, requestId: id, reason: frames[6] }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return workerStreaming(frames);
    default:
      return violation("P-TYPE-1", `a worker sent the message type ${shown(frames[1])}`);
  }
}

/** At a client: what the broker sent. */
export function decodeToClient(frames: Frames): ToClient | Violation {
  const broken = checkEnvelope(frames, CLIENT_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.REPLY:
      return clientReply("final", frames);
    case TYPE.PARTIAL:
      return clientReply("partial", frames);
    case TYPE.PARTIALS:
      return clientPartials(frames);
    case TYPE.HEARTBEAT:
      return brokerHeartbeat(frames);
    case TYPE.NOTICE:
      return clientNotice(frames);
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return clientStreaming(frames);
    default:
      return violation("P-TYPE-1", `the broker sent a client the message type ${shown(frames[1])}`);
  }
}

/** At a worker: what the broker sent. */
export function decodeToWorker(frames: Frames): ToWorker | Violation {
  const broken = checkEnvelope(frames, WORKER_TAG);
  if (broken) return broken;
  switch (readType(frames[1])) {
    case TYPE.READY:
      return { type: "ready", accepted: readOffer(frames[2]) };
    case TYPE.REQUEST:
      return workerRequest(frames);
    case TYPE.HEARTBEAT:
      if (frames.length < 5) return { type: "heartbeat" };
      return withAddress(frames, (address, id) => ({ type: "request-heartbeat", address, requestId: id }));
    case TYPE.CANCEL:
      return withAddress(frames, (address, id) => ({ type: "cancel", address, requestId: id }));
    case TYPE.DISCONNECT:
      return { type: "disconnect" };
    case TYPE.CREDIT:
    case TYPE.INPUT:
    case TYPE.INPUT_END:
      return workerStreaming(frames);
    default:
      return violation("P-TYPE-1", `the broker sent a worker the message type ${shown(frames[1])}`);
  }
}

function checkEnvelope(frames: Frames, tag: number): Violation | undefined {
  if (frames.length > MAX_FRAMES) {
    return violation("P-MSG-2", `a message of ${frames.length} frames, the most is ${MAX_FRAMES}`);
  }
  if (!isTag(frames[0], tag)) return violation("P-MSG-1", `a message for another role: ${shown(frames[0])}`);
  return undefined;
}
