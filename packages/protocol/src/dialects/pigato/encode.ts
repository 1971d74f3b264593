// Encodes messages as frames of the PIGATO dialect. Payloads and trailers are passed on without a copy.
//
// Nearly all requests and replies have one frame in their trailer, the options. That case is written out, because an array
// literal of the final size costs half as much as one that grows (apps/bench, frames).

import { type Capabilities, concurrencyToWire, formatCapabilities } from "../../capabilities.ts";
import type { Failure } from "../../errors.ts";
import { EMPTY, type Frame, type Frames, type FrameToSend } from "../../frame.ts";
import { type RequestId, writeText } from "../../ids.ts";
import type { DisconnectReason, FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { NULL_FRAME } from "../../payload.ts";
import { methodInBody } from "../method-body.ts";
import { asJson, MAX_RAW_FRAMES } from "../raw-body.ts";
import type { FieldCodec } from "./fields.ts";
import { type Tags, writeTags } from "./tags.ts";
import {
  BROKER_ORIGIN,
  CLIENT,
  NO_OPTIONS,
  STATUS_ERROR,
  STATUS_OK,
  TYPE,
  typeFrame,
  WORKER,
  WORKER_WORD,
} from "./wire.ts";

const REQUEST_WORD: Frame = writeText("request");
const WORKER_WORD_FRAME: Frame = writeText(WORKER_WORD);

/** At the broker, to a client. */
export function encodeToClient(message: ToClient, capabilities: Capabilities): FrameToSend[] {
  switch (message.type) {
    case "final":
    case "partial": {
      const type = typeFrame(message.type === "final" ? TYPE.REPLY : TYPE.PARTIAL);
      const { requestId, trailer } = message;
      const status = writeStatus(message.status);
      const body = bodyFrame(message.body, message.isRaw);
      const [options] = trailer;
      if (trailer.length !== 1 || options === undefined)
        return [CLIENT, type, EMPTY, requestId, status, body, ...trailer];
      return [CLIENT, type, EMPTY, requestId, status, body, options];
    }
    case "partials":
      return [CLIENT, typeFrame(TYPE.PARTIALS), EMPTY, message.requestId, message.options, ...message.chunks];
    case "failure":
      return encodeFailure(message.failure, message.requestId, capabilities);
    case "heartbeat":
      return withOffer([CLIENT, typeFrame(TYPE.HEARTBEAT)], message.accepted);
    case "request-heartbeat":
      return [CLIENT, typeFrame(TYPE.HEARTBEAT), EMPTY, message.requestId];
    case "notice": {
      const frames: FrameToSend[] = [
        CLIENT,
        typeFrame(TYPE.NOTICE),
        EMPTY,
        message.requestId,
        writeText(message.state),
      ];
      if (message.worker !== undefined) frames.push(message.worker);
      return frames;
    }
    case "credit":
      return [CLIENT, typeFrame(TYPE.CREDIT), message.requestId, writeText(String(message.chunks))];
    case "input":
      return [CLIENT, typeFrame(TYPE.INPUT), message.requestId, ...message.chunks];
    case "input-end":
      return [CLIENT, typeFrame(TYPE.INPUT_END), message.requestId];
    default:
      return message satisfies never;
  }
}

/** At the broker, to a worker. */
export function encodeToWorker(fields: FieldCodec, message: ToWorker): FrameToSend[] {
  switch (message.type) {
    case "request":
      return dispatchedRequest(fields, message);
    case "ready":
      return withOffer([WORKER, typeFrame(TYPE.READY)], message.accepted);
    case "service-answer":
      return withReason([WORKER, typeFrame(TYPE.READY), EMPTY, message.service], message.refusal);
    case "heartbeat":
      if (message.isDrained) return [WORKER, typeFrame(TYPE.HEARTBEAT), EMPTY, heartbeatSettings(0, false)];
      return [WORKER, typeFrame(TYPE.HEARTBEAT)];
    case "disconnect":
      return withReason([WORKER, typeFrame(TYPE.DISCONNECT)], message.reason);
    case "request-heartbeat":
      return addressed(TYPE.HEARTBEAT, message);
    case "cancel":
      return withReason(addressed(TYPE.CANCEL, message), message.reason);
    case "credit":
      return [...addressed(TYPE.CREDIT, message), writeText(String(message.chunks))];
    case "input":
      return [...addressed(TYPE.INPUT, message), ...message.chunks];
    case "input-end":
      return addressed(TYPE.INPUT_END, message);
    default:
      return message satisfies never;
  }
}

function withReason(frames: FrameToSend[], reason: DisconnectReason | undefined): FrameToSend[] {
  if (reason !== undefined) {
    const { code, message } = reason;
    frames.push(writeText(JSON.stringify({ code, message })));
  }
  return frames;
}

/** W 2 address service '' rid data opts [tags] [extra …] */
function dispatchedRequest(fields: FieldCodec, message: ToWorker & { readonly type: "request" }): FrameToSend[] {
  const { address, service, requestId, trailer } = message;
  if (message.isFramed === true && message.body.length <= MAX_RAW_FRAMES) {
    const [options = NO_OPTIONS] = trailer;
    return [WORKER, typeFrame(TYPE.FRAMES), address, service, EMPTY, requestId, options, ...message.body];
  }
  const type = typeFrame(TYPE.REQUEST);
  const body = message.hasMethodInBody === true ? methodInBody(message, false) : bodyFrame(message.body, message.isRaw);
  const [options] = trailer;
  if (trailer.length !== 1 || options === undefined)
    return [WORKER, type, address, service, EMPTY, requestId, body, ...requestTrailer(fields, trailer, message)];
  if (isTagged(message))
    return [WORKER, type, address, service, EMPTY, requestId, body, options, ...writeTags(message, fields)];
  return [WORKER, type, address, service, EMPTY, requestId, body, options];
}

/** At a client. */
export function encodeFromClient(fields: FieldCodec, message: FromClient): FrameToSend[] {
  switch (message.type) {
    case "request": {
      const { service, requestId, trailer } = message;
      const type = typeFrame(TYPE.REQUEST);
      const body = bodyFrame(message.body, message.isRaw);
      const [options] = trailer;
      if (trailer.length !== 1 || options === undefined)
        return [CLIENT, type, service, requestId, body, ...requestTrailer(fields, trailer, message)];
      if (isTagged(message)) return [CLIENT, type, service, requestId, body, options, ...writeTags(message, fields)];
      return [CLIENT, type, service, requestId, body, options];
    }
    case "heartbeat":
      return withOffer([CLIENT, typeFrame(TYPE.HEARTBEAT)], message.offer);
    case "request-heartbeat":
      return [CLIENT, typeFrame(TYPE.HEARTBEAT), REQUEST_WORD, message.requestId];
    case "worker-heartbeat":
      return [CLIENT, typeFrame(TYPE.HEARTBEAT), WORKER_WORD_FRAME, message.worker];
    case "cancel":
      return [CLIENT, typeFrame(TYPE.CANCEL), message.requestId];
    case "disconnect":
      return [CLIENT, typeFrame(TYPE.DISCONNECT)];
    case "credit":
      return [CLIENT, typeFrame(TYPE.CREDIT), message.requestId, writeText(String(message.chunks))];
    case "input":
      return [CLIENT, typeFrame(TYPE.INPUT), message.requestId, ...message.chunks];
    case "input-end":
      return [CLIENT, typeFrame(TYPE.INPUT_END), message.requestId];
    default:
      return message satisfies never;
  }
}

/** At a worker. */
export function encodeFromWorker(message: FromWorker): FrameToSend[] {
  switch (message.type) {
    case "final":
    case "partial": {
      if (message.isRaw === true && message.status === 0) return framedReply(message);
      const type = typeFrame(message.type === "final" ? TYPE.REPLY : TYPE.PARTIAL);
      const { address, requestId, trailer } = message;
      const status = writeStatus(message.status);
      const body = bodyFrame(message.body);
      const [options] = trailer;
      if (trailer.length !== 1 || options === undefined)
        return [WORKER, type, address, EMPTY, requestId, status, body, ...trailer];
      return [WORKER, type, address, EMPTY, requestId, status, body, options];
    }
    case "partials": {
      const { address, requestId, options, chunks } = message;
      return [WORKER, typeFrame(TYPE.PARTIALS), address, EMPTY, requestId, options, ...chunks];
    }
    case "ready":
      return withOffer([WORKER, typeFrame(TYPE.READY), message.service], message.offer);
    case "heartbeat":
      return [WORKER, typeFrame(TYPE.HEARTBEAT), EMPTY, heartbeatSettings(message.concurrency, message.update)];
    case "request-heartbeat":
      return addressed(TYPE.HEARTBEAT, message);
    case "reject":
      // The original sends options here as well, always empty.
      return [
        ...addressed(TYPE.REJECT, message),
        STATUS_OK,
        message.reason ?? NULL_FRAME,
        message.options ?? NO_OPTIONS,
      ];
    case "disconnect":
      return [WORKER, typeFrame(TYPE.DISCONNECT)];
    case "credit":
      return [...addressed(TYPE.CREDIT, message), writeText(String(message.chunks))];
    case "input":
      return [...addressed(TYPE.INPUT, message), ...message.chunks];
    case "input-end":
      return addressed(TYPE.INPUT_END, message);
    default:
      return message satisfies never;
  }
}

/** P-REP-10: W 14|15 address '' rid opts frame [frame …] */
function framedReply(message: FromWorker & { readonly type: "final" | "partial" }): FrameToSend[] {
  const { type, address, requestId, trailer, body } = message;
  const [options = NO_OPTIONS] = trailer;
  const number = type === "final" ? TYPE.FRAMES : TYPE.PARTIAL_FRAMES;
  return [WORKER, typeFrame(number), address, EMPTY, requestId, options, ...body];
}

/** W type address '' rid */
function addressed(type: number, message: { readonly address: string; readonly requestId: string }): FrameToSend[] {
  return [WORKER, typeFrame(type), message.address, EMPTY, message.requestId];
}

/** A classic client gets the code as its error value; one that negotiated `error` gets the whole failure. */
function encodeFailure(failure: Failure, id: RequestId, capabilities: Capabilities): FrameToSend[] {
  const head = [CLIENT, typeFrame(TYPE.REPLY), EMPTY, id, STATUS_ERROR];
  if (!capabilities.error) return [...head, writeText(JSON.stringify(failure.code))];
  const { code, message, delivery, detail } = failure;
  return [...head, writeText(JSON.stringify({ code, message, delivery, detail })), BROKER_ORIGIN];
}

/** The PIGATO dialect has one JSON frame for the body: it carries the first of several. */
function bodyFrame(body: Frames, isRaw?: boolean): Frame {
  return isRaw === true ? asJson(body) : (body[0] ?? NULL_FRAME);
}

/** P-TAG-1: the tags are behind the options, and the headers behind the other tags. */
function requestTrailer(fields: FieldCodec, trailer: Frames, tags: Tags): Frames {
  if (!isTagged(tags)) return trailer;
  const [options = NO_OPTIONS, ...others] = trailer;
  return [options, ...writeTags(tags, fields), ...others];
}

function isTagged({ credit, deadlineMs, caller, attempt }: Tags): boolean {
  return credit !== undefined || deadlineMs !== undefined || caller !== undefined || attempt !== undefined;
}

function withOffer(frames: FrameToSend[], capabilities: Capabilities | undefined): FrameToSend[] {
  if (capabilities !== undefined) frames.push(writeText(formatCapabilities(capabilities)));
  return frames;
}

function writeStatus(status: number): Frame {
  if (status === 0) return STATUS_OK;
  return status === -1 ? STATUS_ERROR : writeText(String(status));
}

function heartbeatSettings(concurrency: number | undefined, update: boolean): Frame {
  return writeText(
    JSON.stringify({
      ...(concurrency === undefined ? {} : { concurrency: concurrencyToWire(concurrency) }),
      ...(update ? { update: 1 } : {}),
    }),
  );
}
