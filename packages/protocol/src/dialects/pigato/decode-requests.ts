// Requests, from a client to the broker and from the broker to a worker. On the path of every request, measured by
// apps/bench, core.

import { EMPTY, type Frames, MAX_REQUEST_FRAMES } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, type RequestId } from "../../ids.ts";
import type { FromClient, ToWorker } from "../../message.ts";
import { NULL_FRAME } from "../../payload.ts";
import { DEFAULT_REQUEST_OPTIONS, MAX_OPTIONS_BYTES } from "../../request-options.ts";
import { type Violation, violation } from "../../violation.ts";
import { badAddress, badRequestId, isAddress } from "./decode-ids.ts";
import type { FieldCodec } from "./fields.ts";
import { withBrokerTags, withClientTags } from "./tags.ts";
import { UNNAMED_SERVICE } from "./wire.ts";

const NO_TRAILER: Frames = [];

/** C 2 service rid data [opts [tags] [extra …]] */
export function clientRequest(fields: FieldCodec, frames: Frames): FromClient | Violation {
  const service = frames[2];
  const id = frames[3];
  if (service === undefined || id === undefined) return shortRequest(frames);
  if (!isName(id)) return badRequestId(id);
  const name = fields.readRequestId(id);
  const data = frames[4];
  const options = frames[5];
  if (data === undefined) return shortRequest(frames, name);
  if (frames.length > MAX_REQUEST_FRAMES) {
    return violation("P-MSG-2", `request of ${frames.length} frames; the maximum is ${MAX_REQUEST_FRAMES}`, name);
  }
  if (service.length > MAX_NAME_BYTES) {
    const detail = `service name of ${service.length} bytes; the maximum is ${MAX_NAME_BYTES}`;
    return violation("P-REQ-3", detail, name);
  }
  if (options !== undefined && options.length > MAX_OPTIONS_BYTES) {
    const detail = `options of ${options.length} bytes; the maximum is ${MAX_OPTIONS_BYTES}`;
    return violation("P-REQ-4", detail, name);
  }
  const request = {
    type: "request",
    service: service.length === 0 ? UNNAMED_SERVICE : fields.readService(service),
    requestId: name,
    body: [data],
    trailer: frames.length > 5 ? frames.slice(5) : NO_TRAILER,
    options: options === undefined ? DEFAULT_REQUEST_OPTIONS : fields.readOptions(options),
  } as const;
  return frames.length > 6 ? withClientTags(fields, request) : request;
}

/** W 2 address service '' rid [data [opts [tags] [extra …]]] */
export function workerRequest(fields: FieldCodec, frames: Frames): ToWorker | Violation {
  const address = frames[2];
  const service = frames[3];
  const id = frames[5];
  if (service === undefined || frames.length < 6) {
    return violation("P-DSP-1", `dispatched request of ${frames.length} frames; the minimum is 6`);
  }
  if (!isAddress(address)) return badAddress(address);
  if (!isName(id)) return badRequestId(id);
  const request = {
    type: "request",
    address: fields.readAddress(address),
    service: fields.readService(service),
    requestId: fields.readRequestId(id),
    body: [frames[6] ?? NULL_FRAME],
    trailer: frames.length > 7 ? frames.slice(7) : NO_TRAILER,
    options: fields.readOptions(frames[7] ?? EMPTY),
  } as const;
  return frames.length > 8 ? withBrokerTags(fields, request) : request;
}

/** W 14 address service '' rid opts frame [frame …] */
export function framedRequest(fields: FieldCodec, frames: Frames): ToWorker | Violation {
  const [, , address, service, , id, options] = frames;
  if (service === undefined || options === undefined || frames.length < 8) {
    return violation("P-DSP-3", `request in frames of ${frames.length} frames; the minimum is 8`);
  }
  if (!isAddress(address)) return badAddress(address);
  if (!isName(id)) return badRequestId(id);
  return {
    type: "request",
    address: fields.readAddress(address),
    service: fields.readService(service),
    requestId: fields.readRequestId(id),
    body: frames.slice(7),
    isRaw: true,
    isFramed: true,
    trailer: [options],
    options: fields.readOptions(options),
  };
}

function shortRequest(frames: Frames, id?: RequestId): Violation {
  return violation("P-REQ-1", `request of ${frames.length} frames; the minimum is 5`, id);
}
