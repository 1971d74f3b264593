// Frames of the PIGATO dialect to messages. Exact where a mistake would cost somebody a request, lenient where real
// peers are known to differ: missing options, odd status texts, extra frames. Clauses are those of
// docs/reference/protocol.md.

import { type Capabilities, concurrencyFromWire, MAX_OFFER_BYTES, parseCapabilities } from "../../capabilities.ts";
import { MAX_CREDIT } from "../../credit.ts";
import { type Failure, isDelivery, isFailureCode } from "../../errors.ts";
import { EMPTY, type Frame, MAX_FRAMES, sameBytes } from "../../frame.ts";
import { FrameMemo, LastName } from "../../frame-memo.ts";
import { MAX_NAME_BYTES, peerId, type RequestId, readBytes, readText, requestId, serviceName } from "../../ids.ts";
import type {
  FromClient,
  FromWorker,
  NoticeState,
  StreamingMessage,
  ToClient,
  ToWorker,
  Violation,
} from "../../message.ts";
import { decodePayload, isUndefinedFrame, NULL_FRAME } from "../../payload.ts";
import { readCacheMs } from "../../reply-options.ts";
import { DEFAULT_REQUEST_OPTIONS, MAX_OPTIONS_BYTES, parseRequestOptions } from "../../request-options.ts";
import { SERVICE_NAMES } from "../service-names.ts";
import { shown, violation } from "../violation.ts";
import { readFirstGrant, withoutFirstGrant } from "./first-grant.ts";
import {
  BROKER_ORIGIN,
  CLIENT_TAG,
  isTag,
  NO_OPTIONS,
  REQUEST_WORDS,
  readType,
  TYPE,
  UNNAMED_SERVICE,
  WORKER_TAG,
  WORKER_WORD,
} from "./wire.ts";

type Frames = readonly Frame[];

const NO_TRAILER: Frames = [];

const ADDRESSES = new LastName();
const REQUEST_IDS = new LastName();
const REQUEST_OPTIONS = new FrameMemo((frame) => parseRequestOptions(readText(frame)));

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

/** C 2 service rid data [opts [credit=n] [extra …]] */
function clientRequest(frames: Frames): FromClient | Violation {
  const service = frames[2];
  const id = frames[3];
  if (service === undefined || id === undefined) return shortRequest(frames);
  if (!isRequestId(id)) return notRequestId(id);
  const name = requestId(REQUEST_IDS.read(id));
  const data = frames[4];
  const options = frames[5];
  if (data === undefined) return shortRequest(frames, name);
  if (service.length > MAX_NAME_BYTES) {
    const detail = `a service name of ${service.length} bytes, the most is ${MAX_NAME_BYTES}`;
    return violation("P-REQ-3", detail, name);
  }
  if (options !== undefined && options.length > MAX_OPTIONS_BYTES) {
    const detail = `options of ${options.length} bytes, the most is ${MAX_OPTIONS_BYTES}`;
    return violation("P-REQ-4", detail, name);
  }
  const request = {
    type: "request",
    service: service.length === 0 ? UNNAMED_SERVICE : SERVICE_NAMES.read(service),
    requestId: name,
    body: [data],
    trailer: frames.length > 5 ? frames.slice(5) : NO_TRAILER,
    options: options === undefined ? DEFAULT_REQUEST_OPTIONS : REQUEST_OPTIONS.read(options),
  } as const;
  return frames.length > 6 ? paced(request) : request;
}

/** A request that has frames behind its options, of which the next may be its first grant. */
function paced<Request extends { readonly trailer: Frames }>(request: Request): Request {
  const credit = readFirstGrant(request.trailer[1]);
  return credit === undefined ? request : { ...request, trailer: withoutFirstGrant(request.trailer), credit };
}

function shortRequest(frames: Frames, id?: RequestId): Violation {
  return violation("P-REQ-1", `a request of ${frames.length} frames, the least is 5`, id);
}

/** C 4 · C 4 offer · C 4 rid · C 4 request rid · C 4 worker id */
function clientHeartbeat(frames: Frames): FromClient | Violation {
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
function workerReady(frames: Frames): FromWorker | Violation {
  const service = frames[2];
  if (service === undefined || service.length === 0) return violation("P-READY-1", "READY without a service");
  if (service.length > MAX_NAME_BYTES) {
    return violation("P-READY-1", `a service name of ${service.length} bytes, the most is ${MAX_NAME_BYTES}`);
  }
  return { type: "ready", service: serviceName(readBytes(service)), offer: readOffer(frames[3]) };
}

/** W 4 · W 4 '' json · W 4 address '' rid */
function workerHeartbeat(frames: Frames): FromWorker | Violation {
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

/** W 3|6 address '' rid status data [opts [extra …]] */
function workerReply(type: "final" | "partial", frames: Frames): FromWorker | Violation {
  const address = frames[2];
  const id = frames[4];
  const status = frames[5];
  const data = frames[6];
  if (status === undefined || data === undefined) {
    return violation("P-REP-1", `a reply of ${frames.length} frames, the least is 7`);
  }
  if (!isAddress(address)) return notAddress(address);
  if (!isRequestId(id)) return notRequestId(id);
  const reply = {
    type,
    address: ADDRESSES.read(address),
    requestId: requestId(REQUEST_IDS.read(id)),
    status: readStatus(status),
    // The bare word is no JSON: every client would choke on it.
    body: [isUndefinedFrame(data) ? NULL_FRAME : data],
    trailer: replyTrailer(frames, 7),
  };
  const cacheMs = readCacheMs(frames[7]);
  return cacheMs === undefined ? reply : { ...reply, cacheMs };
}

/** C 3|6 '' rid status data [opts [extra …]] */
function clientReply(type: "final" | "partial", frames: Frames): ToClient | Violation {
  const id = frames[3];
  if (!isRequestId(id)) return notRequestId(id);
  const name = requestId(REQUEST_IDS.read(id));
  const status = readStatus(frames[4]);
  const data = frames[5] ?? EMPTY;
  const options = frames[6];
  if (type === "final" && status === -1 && options !== undefined && sameBytes(options, BROKER_ORIGIN)) {
    return { type: "failure", requestId: name, failure: readFailure(data) };
  }
  return { type, requestId: name, status, body: [data], trailer: frames.length > 6 ? frames.slice(6) : NO_TRAILER };
}

/** W 13 address '' rid opts chunk [chunk …] */
function workerPartials(frames: Frames): FromWorker | Violation {
  const options = frames[5];
  if (options === undefined || frames.length < 7) {
    return violation("P-REP-9", `partial replies in ${frames.length} frames, the least is 7`);
  }
  return withAddress(frames, (address, id) => {
    const chunks = frames.slice(6);
    if (chunks.some(isUndefinedFrame)) return violation("P-REP-9", "a partial reply that is no JSON");
    const partials = { type: "partials" as const, address, requestId: id, chunks, options };
    const cacheMs = readCacheMs(options);
    return cacheMs === undefined ? partials : { ...partials, cacheMs };
  });
}

/** C 13 '' rid opts chunk [chunk …] */
function clientPartials(frames: Frames): ToClient | Violation {
  return withRequestId(frames[3], (id) => {
    const options = frames[4];
    if (options !== undefined && frames.length > 5) {
      return { type: "partials", requestId: id, chunks: frames.slice(5), options };
    }
    return violation("P-REP-9", `partial replies in ${frames.length} frames, the least is 6`, id);
  });
}

/** C 4 · C 4 caps · C 4 '' rid */
function brokerHeartbeat(frames: Frames): ToClient | Violation {
  if (frames[2]?.length !== 0 || frames[3] === undefined) return { type: "heartbeat", accepted: readOffer(frames[2]) };
  return withRequestId(frames[3], (id) => ({ type: "request-heartbeat", requestId: id }));
}

/** C 12 '' rid state [worker] */
function clientNotice(frames: Frames): ToClient | Violation {
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

/** W 2 address service '' rid [data [opts [credit=n] [extra …]]] */
function workerRequest(frames: Frames): ToWorker | Violation {
  const address = frames[2];
  const service = frames[3];
  const id = frames[5];
  if (service === undefined || frames.length < 6) {
    return violation("P-DSP-1", `a dispatched request of ${frames.length} frames, the least is 6`);
  }
  if (!isAddress(address)) return notAddress(address);
  if (!isRequestId(id)) return notRequestId(id);
  const request = {
    type: "request",
    address: ADDRESSES.read(address),
    service: SERVICE_NAMES.read(service),
    requestId: requestId(REQUEST_IDS.read(id)),
    body: [frames[6] ?? NULL_FRAME],
    trailer: frames.length > 7 ? frames.slice(7) : NO_TRAILER,
    options: REQUEST_OPTIONS.read(frames[7] ?? EMPTY),
  } as const;
  return frames.length > 8 ? paced(request) : request;
}

/** Reads `… address '' rid …`, the head of all else between a broker and a worker. */
function withAddress<Message>(
  frames: Frames,
  build: (address: string, id: RequestId) => Message | Violation,
): Message | Violation {
  const address = frames[2];
  if (!isAddress(address)) return notAddress(address);
  return withRequestId(frames[4], (id) => build(ADDRESSES.read(address), id));
}

function withRequestId<Message>(
  frame: Frame | undefined,
  build: (id: RequestId) => Message | Violation,
): Message | Violation {
  return isRequestId(frame) ? build(requestId(REQUEST_IDS.read(frame))) : notRequestId(frame);
}

function isAddress(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length <= MAX_NAME_BYTES;
}

function notAddress(frame: Frame | undefined): Violation {
  return violation("P-ADDR-1", `a client address of ${frame?.length ?? "no"} bytes, the most is ${MAX_NAME_BYTES}`);
}

function isRequestId(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length > 0 && frame.length <= MAX_NAME_BYTES;
}

function notRequestId(frame: Frame | undefined): Violation {
  return violation("P-RID-1", `a request id of ${frame?.length ?? "no"} bytes, it has 1 to ${MAX_NAME_BYTES}`);
}

/** C 9 rid n · C 10 rid data · C 11 rid */
function clientStreaming(frames: Frames): StreamingMessage | Violation {
  return withRequestId(frames[2], (id) => streaming(id, readType(frames[1]), frames[3]));
}

/** W 9 address '' rid n · W 10 address '' rid data · W 11 address '' rid */
function workerStreaming(frames: Frames): (StreamingMessage & { readonly address: string }) | Violation {
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

function readOffer(frame: Frame | undefined): Capabilities | undefined {
  return frame === undefined || frame.length > MAX_OFFER_BYTES ? undefined : parseCapabilities(readBytes(frame));
}

/** A finite number is the status, anything else is success: so, nearly, the original's client reads it. */
function readStatus(frame: Frame | undefined): number {
  if (frame === undefined || frame.length > MAX_NAME_BYTES) return 0;
  if (frame.length === 1 && frame[0] === 0x30) return 0;
  const status = Number(readBytes(frame));
  return Number.isFinite(status) ? status || 0 : 0;
}

/** A worker cannot pass its own error off as the broker's. */
function replyTrailer(frames: Frames, start: number): Frames {
  const options = frames[start];
  if (options === undefined) return NO_TRAILER;
  if (sameBytes(options, BROKER_ORIGIN)) return [NO_OPTIONS, ...frames.slice(start + 1)];
  return frames.slice(start);
}

function readFailure(data: Frame): Failure {
  const value = decodePayload(data);
  const field = (name: string): unknown =>
    typeof value === "object" && value !== null ? ownField(value, name) : undefined;
  const code = field("code");
  const message = field("message");
  const delivery = field("delivery");
  const detail = field("detail");
  return {
    code: isFailureCode(code) ? code : "INVALID",
    message: typeof message === "string" ? message : "the broker failed the request without a message",
    delivery: isDelivery(delivery) ? delivery : "maybe-executed",
    ...(detail === undefined ? {} : { detail }),
  };
}

function readNoticeState(frame: Frame | undefined): NoticeState | undefined {
  const state = frame === undefined || frame.length > MAX_NAME_BYTES ? "" : readBytes(frame);
  return state === "queued" || state === "stored" || state === "dispatched" ? state : undefined;
}

function ownField(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
}
