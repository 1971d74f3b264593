// What is said about a session and how far a request has come: offers, registrations, heartbeats, notices.

import { type Capabilities, concurrencyFromWire, MAX_OFFER_BYTES, parseCapabilities } from "../../../capabilities.ts";
import type { Frame } from "../../../frame.ts";
import { MAX_NAME_BYTES, peerId, readBytes, serviceName } from "../../../ids.ts";
import type { FromClient, FromWorker, NoticeState, ToClient, Violation } from "../../../message.ts";
import { decodePayload } from "../../../payload.ts";
import { MAX_OPTIONS_BYTES } from "../../../request-options.ts";
import { shown, violation } from "../../violation.ts";
import { REQUEST_WORDS, WORKER_WORD } from "../wire.ts";
import { type Frames, withAddress, withRequestId } from "./names.ts";
import { ownField } from "./own-field.ts";

/** C 4 · C 4 offer · C 4 rid · C 4 request rid · C 4 worker id */
export function clientHeartbeat(frames: Frames): FromClient | Violation {
  const [, , word, id] = frames;
  const offer = readOffer(word);
  if (word === undefined || offer !== undefined) return { type: "heartbeat", offer };
  if (id === undefined) {
    if (word.length === 0) return { type: "heartbeat", offer: undefined };
    return withRequestId(word, (requestId) => ({ type: "request-heartbeat", requestId }));
  }
  const kind = word.length <= MAX_NAME_BYTES ? readBytes(word) : "";
  if (REQUEST_WORDS.includes(kind)) {
    return withRequestId(id, (requestId) => ({ type: "request-heartbeat", requestId }));
  }
  if (kind === WORKER_WORD && id.length <= MAX_NAME_BYTES) {
    return { type: "worker-heartbeat", worker: peerId(readBytes(id)) };
  }
  return violation("P-HB-2", `a client's heartbeat about ${shown(word)}`);
}

/** W 1 service [offer] */
export function workerReady(frames: Frames): FromWorker | Violation {
  const service = frames[2];
  if (service === undefined || service.length === 0) return violation("P-READY-1", "READY without a service");
  if (service.length > MAX_NAME_BYTES) {
    return violation("P-READY-1", `a service name of ${service.length} bytes, the most is ${MAX_NAME_BYTES}`);
  }
  return { type: "ready", service: serviceName(readBytes(service)), offer: readOffer(frames[3]) };
}

/** W 4 · W 4 '' json · W 4 address '' rid */
export function workerHeartbeat(frames: Frames): FromWorker | Violation {
  if (frames.length >= 5 && frames[2]?.length !== 0) {
    return withAddress(frames, (address, id) => ({ type: "request-heartbeat", address, requestId: id }));
  }
  const settings = frames[3];
  if (settings === undefined || settings.length === 0) {
    return { type: "heartbeat", concurrency: undefined, update: false };
  }
  if (settings.length > MAX_OPTIONS_BYTES) {
    return violation("P-HB-3", `heartbeat settings of ${settings.length} bytes, the most is ${MAX_OPTIONS_BYTES}`);
  }
  const value = decodePayload(settings);
  if (typeof value !== "object" || value === null) return { type: "heartbeat", concurrency: undefined, update: false };
  return {
    type: "heartbeat",
    concurrency: concurrencyFromWire(ownField(value, "concurrency")),
    update: Boolean(ownField(value, "update")),
  };
}

/** C 4 · C 4 caps · C 4 '' rid */
export function brokerHeartbeat(frames: Frames): ToClient | Violation {
  if (frames[2]?.length !== 0 || frames[3] === undefined) return { type: "heartbeat", accepted: readOffer(frames[2]) };
  return withRequestId(frames[3], (id) => ({ type: "request-heartbeat", requestId: id }));
}

/** C 12 '' rid state [worker] */
export function clientNotice(frames: Frames): ToClient | Violation {
  const state = readNoticeState(frames[4]);
  if (state === undefined) return violation("P-NOT-1", `a notice of the state ${shown(frames[4])}`);
  const worker = frames[5];
  return withRequestId(frames[3], (id) => ({
    type: "notice",
    requestId: id,
    state,
    worker: worker === undefined || worker.length > MAX_NAME_BYTES ? undefined : peerId(readBytes(worker)),
  }));
}

export function readOffer(frame: Frame | undefined): Capabilities | undefined {
  return frame === undefined || frame.length > MAX_OFFER_BYTES ? undefined : parseCapabilities(readBytes(frame));
}

function readNoticeState(frame: Frame | undefined): NoticeState | undefined {
  const state = frame === undefined || frame.length > MAX_NAME_BYTES ? "" : readBytes(frame);
  return state === "queued" || state === "stored" || state === "dispatched" ? state : undefined;
}
