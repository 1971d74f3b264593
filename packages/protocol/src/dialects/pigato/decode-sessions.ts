// All messages but requests and replies: offers, registrations, heartbeats, notices, flow control, streamed input.

import { type Capabilities, concurrencyFromWire, MAX_OFFER_BYTES, parseCapabilities } from "../../capabilities.ts";
import { creditFromWire } from "../../credit.ts";
import { isFailureCode } from "../../errors.ts";
import { type Frame, type Frames, MAX_REQUEST_FRAMES } from "../../frame.ts";
import { MAX_NAME_BYTES, peerId, type RequestId, readBytes, serviceName } from "../../ids.ts";
import type {
  DisconnectReason,
  FromClient,
  FromWorker,
  NoticeState,
  StreamingMessage,
  ToClient,
  ToWorker,
} from "../../message.ts";
import { decodePayload, getOwn } from "../../payload.ts";
import { MAX_OPTIONS_BYTES } from "../../request-options.ts";
import { shown, type Violation, violation } from "../../violation.ts";
import { withAddress, withRequestId } from "./decode-ids.ts";
import type { FieldCodec } from "./fields.ts";
import { REQUEST_WORDS, readType, TYPE, WORKER_WORD } from "./wire.ts";

/** C 4 · C 4 offer · C 4 rid · C 4 request rid · C 4 worker id */
export function clientHeartbeat(fields: FieldCodec, frames: Frames): FromClient | Violation {
  const [, , word, id] = frames;
  const offer = readOffer(word);
  if (word === undefined || offer !== undefined) return { type: "heartbeat", offer };
  if (id === undefined) {
    if (word.length === 0) return { type: "heartbeat", offer: undefined };
    return withRequestId(fields, word, (requestId) => ({ type: "request-heartbeat", requestId }));
  }
  const kind = word.length <= MAX_NAME_BYTES ? readBytes(word) : "";
  if (REQUEST_WORDS.includes(kind)) {
    return withRequestId(fields, id, (requestId) => ({ type: "request-heartbeat", requestId }));
  }
  if (kind === WORKER_WORD && id.length <= MAX_NAME_BYTES) {
    return { type: "worker-heartbeat", worker: peerId(readBytes(id)) };
  }
  return violation("P-HB-2", `client heartbeat about ${shown(word)}`);
}

/** W 1 service [offer] */
export function workerReady(frames: Frames): FromWorker | Violation {
  const service = frames[2];
  if (service === undefined || service.length === 0) return violation("P-READY-1", "READY without a service");
  if (service.length > MAX_NAME_BYTES) {
    return violation("P-READY-1", `service name of ${service.length} bytes; the maximum is ${MAX_NAME_BYTES}`);
  }
  return { type: "ready", service: serviceName(readBytes(service)), offer: readOffer(frames[3]) };
}

/** W 1 · W 1 offer · W 1 '' service [reason] */
export function brokerReady([, , offer, name, reason]: Frames): ToWorker {
  if (offer?.length !== 0 || name === undefined || name.length === 0 || name.length > MAX_NAME_BYTES)
    return { type: "ready", accepted: readOffer(offer) };
  return { type: "service-answer", service: serviceName(readBytes(name)), refusal: readReason(reason) };
}

/** W 4 · W 4 '' json · W 4 address '' rid */
export function workerHeartbeat(fields: FieldCodec, frames: Frames): FromWorker | Violation {
  if (frames.length >= 5 && frames[2]?.length !== 0) {
    return withAddress(fields, frames, (address, id) => ({ type: "request-heartbeat", address, requestId: id }));
  }
  const settings = frames[3];
  if (settings === undefined || settings.length === 0) {
    return { type: "heartbeat", concurrency: undefined, update: false };
  }
  if (settings.length > MAX_OPTIONS_BYTES) {
    return violation("P-HB-3", `heartbeat settings of ${settings.length} bytes; the maximum is ${MAX_OPTIONS_BYTES}`);
  }
  const value = decodePayload(settings);
  return {
    type: "heartbeat",
    concurrency: concurrencyFromWire(getOwn(value, "concurrency")),
    update: Boolean(getOwn(value, "update")),
  };
}

/** W 4 · W 4 '' {"concurrency":0} · W 4 address '' rid */
export function brokerHeartbeatToWorker(fields: FieldCodec, frames: Frames): ToWorker | Violation {
  if (frames.length >= 5) {
    return withAddress(fields, frames, (address, id) => ({ type: "request-heartbeat", address, requestId: id }));
  }
  const settings = frames[3];
  if (settings === undefined || settings.length > MAX_OPTIONS_BYTES) return { type: "heartbeat" };
  const isDrained = getOwn(decodePayload(settings), "concurrency") === 0;
  return isDrained ? { type: "heartbeat", isDrained } : { type: "heartbeat" };
}

/** C 4 · C 4 caps · C 4 '' rid */
export function brokerHeartbeat(fields: FieldCodec, frames: Frames): ToClient | Violation {
  if (frames[2]?.length !== 0 || frames[3] === undefined) return { type: "heartbeat", accepted: readOffer(frames[2]) };
  return withRequestId(fields, frames[3], (id) => ({ type: "request-heartbeat", requestId: id }));
}

/** W 5 · W 5 reason */
export function brokerDisconnect([, , frame]: Frames): ToWorker {
  const reason = readReason(frame);
  return reason === undefined ? { type: "disconnect" } : { type: "disconnect", reason };
}

/** W 8 address '' rid [reason] */
export function brokerCancel(fields: FieldCodec, frames: Frames): ToWorker | Violation {
  return withAddress(fields, frames, (address, id) => {
    const reason = readReason(frames[5]);
    const cancel = { type: "cancel" as const, address, requestId: id };
    return reason === undefined ? cancel : { ...cancel, reason };
  });
}

/** C 12 '' rid state [worker] */
export function clientNotice(fields: FieldCodec, frames: Frames): ToClient | Violation {
  const state = readNoticeState(frames[4]);
  if (state === undefined) return violation("P-NOT-1", `notice with the state ${shown(frames[4])}`);
  const worker = frames[5];
  return withRequestId(fields, frames[3], (id) => ({
    type: "notice",
    requestId: id,
    state,
    worker: worker === undefined || worker.length > MAX_NAME_BYTES ? undefined : peerId(readBytes(worker)),
  }));
}

/** C 9 rid n · C 10 rid data [data …] · C 11 rid */
export function clientStreaming(fields: FieldCodec, frames: Frames): StreamingMessage | Violation {
  return withRequestId(fields, frames[2], (id) => streaming(id, frames, 3));
}

/** W 9 address '' rid n · W 10 address '' rid data [data …] · W 11 address '' rid */
export function workerStreaming(
  fields: FieldCodec,
  frames: Frames,
): (StreamingMessage & { readonly address: string }) | Violation {
  return withAddress(fields, frames, (address, id) => {
    const message = streaming(id, frames, 5);
    return message.type === "violation" ? message : { ...message, address };
  });
}

export function readOffer(frame: Frame | undefined): Capabilities | undefined {
  return frame === undefined || frame.length > MAX_OFFER_BYTES ? undefined : parseCapabilities(readBytes(frame));
}

/** P-DISC-6. */
function readReason(frame: Frame | undefined): DisconnectReason | undefined {
  if (frame === undefined || frame.length > MAX_OPTIONS_BYTES) return undefined;
  const value = decodePayload(frame);
  const [code, message] = [getOwn(value, "code"), getOwn(value, "message")];
  if (typeof message !== "string") return undefined;
  return { code: isFailureCode(code) ? code : "INVALID", message };
}

/** @param at the index of the first frame behind the id */
function streaming(id: RequestId, frames: Frames, at: number): StreamingMessage | Violation {
  const type = readType(frames[1]);
  if (type === TYPE.CREDIT) return { type: "credit", requestId: id, chunks: creditFromWire(frames[at]) };
  if (type === TYPE.INPUT_END) return { type: "input-end", requestId: id };
  if (frames.length <= at) return violation("P-STREAM-2", "input without a chunk", id);
  // On the way to the worker, the broker adds frames, as to a request.
  if (at === 3 && frames.length > MAX_REQUEST_FRAMES) {
    return violation("P-MSG-2", `input of ${frames.length} frames; the maximum is ${MAX_REQUEST_FRAMES}`, id);
  }
  return { type: "input", requestId: id, chunks: frames.slice(at) };
}

function readNoticeState(frame: Frame | undefined): NoticeState | undefined {
  const state = frame === undefined || frame.length > MAX_NAME_BYTES ? "" : readBytes(frame);
  return state === "queued" || state === "stored" || state === "dispatched" ? state : undefined;
}
