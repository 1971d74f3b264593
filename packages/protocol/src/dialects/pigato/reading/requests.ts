// Requests: as a client sends one, and as a broker hands it to a worker. On the path of every request, measured by apps/bench.

import { EMPTY, MAX_REQUEST_FRAMES } from "../../../frame.ts";
import { FrameMemo } from "../../../frame-memo.ts";
import { MAX_NAME_BYTES, type RequestId, readText } from "../../../ids.ts";
import type { FromClient, ToWorker, Violation } from "../../../message.ts";
import { NULL_FRAME } from "../../../payload.ts";
import { DEFAULT_REQUEST_OPTIONS, MAX_OPTIONS_BYTES, parseRequestOptions } from "../../../request-options.ts";
import { SERVICE_NAMES } from "../../service-names.ts";
import { violation } from "../../violation.ts";
import { readFirstGrant, withoutFirstGrant } from "../first-grant.ts";
import { UNNAMED_SERVICE } from "../wire.ts";
import { type Frames, isAddress, isRequestId, notAddress, notRequestId, readAddress, readRequestId } from "./names.ts";

const NO_TRAILER: Frames = [];
const REQUEST_OPTIONS = new FrameMemo((frame) => parseRequestOptions(readText(frame)));

/** C 2 service rid data [opts [credit=n] [extra …]] */
export function clientRequest(frames: Frames): FromClient | Violation {
  const service = frames[2];
  const id = frames[3];
  if (service === undefined || id === undefined) return shortRequest(frames);
  if (!isRequestId(id)) return notRequestId(id);
  const name = readRequestId(id);
  const data = frames[4];
  const options = frames[5];
  if (data === undefined) return shortRequest(frames, name);
  if (frames.length > MAX_REQUEST_FRAMES) {
    return violation("P-MSG-2", `a request of ${frames.length} frames, the most is ${MAX_REQUEST_FRAMES}`, name);
  }
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

/** W 2 address service '' rid [data [opts [credit=n] [extra …]]] */
export function workerRequest(frames: Frames): ToWorker | Violation {
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
    address: readAddress(address),
    service: SERVICE_NAMES.read(service),
    requestId: readRequestId(id),
    body: [frames[6] ?? NULL_FRAME],
    trailer: frames.length > 7 ? frames.slice(7) : NO_TRAILER,
    options: REQUEST_OPTIONS.read(frames[7] ?? EMPTY),
  } as const;
  return frames.length > 8 ? paced(request) : request;
}

/** A request that has frames behind its options, of which the next may be its first grant. */
function paced<Request extends { readonly trailer: Frames }>(request: Request): Request {
  const credit = readFirstGrant(request.trailer[1]);
  return credit === undefined ? request : { ...request, trailer: withoutFirstGrant(request.trailer), credit };
}

function shortRequest(frames: Frames, id?: RequestId): Violation {
  return violation("P-REQ-1", `a request of ${frames.length} frames, the least is 5`, id);
}
