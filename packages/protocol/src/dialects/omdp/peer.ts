// zmq-omdp as our client and worker speak it to a foreign broker, or to a listener of ours that is set to it (D-PEER-8 to D-PEER-10
// in docs/reference/dialects.md).

import { type Capabilities, NO_CAPABILITIES } from "../../capabilities.ts";
import { isFailureCode } from "../../errors.ts";
import { type Frames, type FrameToSend, MAX_FRAMES } from "../../frame.ts";
import { isName, MAX_NAME_BYTES, type RequestId, readBytes, requestId, serviceName, writeBytes } from "../../ids.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { decodePayload } from "../../payload.ts";
import { DEFAULT_REQUEST_OPTIONS } from "../../request-options.ts";
import { shown, sizeOf, type Violation, violation } from "../../violation.ts";
import type { Dialect } from "../dialect.ts";
import { pigatoDialect } from "../pigato/index.ts";
import { asJson } from "../raw-body.ts";
import { CLIENT, readType, STATUS_OK, TYPE, typeFrame, WORKER } from "./wire.ts";

/** The peer's end of the dialect. */
export type OmdpPeer = Pick<
  Dialect,
  "encodeFromClient" | "decodeFromClient" | "decodeToClient" | "encodeFromWorker" | "decodeToWorker"
>;

/** Every broker of the dialect can do this, so it is not negotiated. */
export const OMDP_CAPABILITIES: Capabilities = Object.freeze({
  ...NO_CAPABILITIES,
  error: true,
  requestHeartbeat: true,
});

const NO_TRAILER: Frames = [];
/** A request does not name its service. The worker has only one. */
const OWN_SERVICE = serviceName("");

/** @returns the dialect with decode caches of its own */
export function omdpPeer(): OmdpPeer {
  const pigato = pigatoDialect();
  return {
    encodeFromClient: (message) => encodeFromClient(pigato, message),
    decodeFromClient: pigato.decodeFromClient,
    decodeToClient,
    encodeFromWorker,
    decodeToWorker,
  };
}

/** C 2 service rid data opts · C 4 [rid] */
function encodeFromClient(pigato: Dialect, message: FromClient): FrameToSend[] | undefined {
  switch (message.type) {
    case "request":
    case "heartbeat":
      return pigato.encodeFromClient(message);
    case "request-heartbeat":
      return [CLIENT, typeFrame(TYPE.HEARTBEAT), writeBytes(message.requestId)];
    case "cancel":
    case "worker-heartbeat":
    case "disconnect":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

/** C 3|6 rid 0 data · C 3 rid error · C 4 [rid] */
function decodeToClient(frames: Frames): ToClient | Violation {
  const [tag, type, id, status, data] = frames;
  if (frames.length > MAX_FRAMES || tag === undefined || readBytes(tag) !== "C") {
    return violation("D-OMDP-4", `a message of ${frames.length} frames with the tag ${shown(tag)}`);
  }
  const kind = readType(type);
  if (kind === TYPE.HEARTBEAT && id === undefined) return { type: "heartbeat", accepted: undefined };
  if (!isName(id)) return violation("D-OMDP-4", `message type ${shown(type)} with a request id of ${sizeOf(id)}`);
  const ref = { requestId: requestId(readBytes(id)) };
  switch (kind) {
    case TYPE.HEARTBEAT:
      return { type: "request-heartbeat", ...ref };
    case TYPE.REPLY:
    case TYPE.PARTIAL:
      if (status === undefined) return violation("D-OMDP-4", "a reply without a status", ref.requestId);
      if (data === undefined) return errorReply(ref, status);
      return {
        type: kind === TYPE.REPLY ? "final" : "partial",
        ...ref,
        status: 0,
        body: [asJson([data])],
        trailer: NO_TRAILER,
      };
    default:
      return violation("D-OMDP-4", `a broker sent message type ${shown(type)}`);
  }
}

interface ReplyRef {
  readonly requestId: RequestId;
}

/** An error that is only the code of a failure is the broker's own. */
function errorReply(ref: ReplyRef, error: Uint8Array): ToClient {
  const body = asJson([error]);
  const code = decodePayload(body);
  if (!isFailureCode(code)) return { type: "final", ...ref, status: -1, body: [body], trailer: NO_TRAILER };
  const failure = { code, message: `the broker reports ${code}`, delivery: "maybe-executed" } as const;
  return { type: "failure", ...ref, failure };
}

/** W 1 service · W 3|6 address rid 0 data · W 3 address rid error · W 4 [address rid] · W 5 */
function encodeFromWorker(message: FromWorker): FrameToSend[] | undefined {
  switch (message.type) {
    case "ready":
      return [WORKER, typeFrame(TYPE.READY), writeBytes(message.service)];
    case "heartbeat":
      return [WORKER, typeFrame(TYPE.HEARTBEAT)];
    case "request-heartbeat":
      return addressed(TYPE.HEARTBEAT, message);
    case "partial":
    case "final": {
      const head = addressed(message.type === "final" ? TYPE.REPLY : TYPE.PARTIAL, message);
      return message.status === 0 ? [...head, STATUS_OK, asJson(message.body)] : [...head, asJson(message.body)];
    }
    case "disconnect":
      return [WORKER, typeFrame(TYPE.DISCONNECT)];
    case "partials":
    case "reject":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

function addressed(type: number, to: { readonly address: string; readonly requestId: string }): FrameToSend[] {
  return [WORKER, typeFrame(type), writeBytes(to.address), writeBytes(to.requestId)];
}

/** W 2 address rid data · W 4 [address rid] · W 5 */
function decodeToWorker(frames: Frames): ToWorker | Violation {
  const [tag, type, address, id, data] = frames;
  if (frames.length > MAX_FRAMES || tag === undefined || readBytes(tag) !== "W") {
    return violation("D-OMDP-5", `a message of ${frames.length} frames with the tag ${shown(tag)}`);
  }
  const kind = readType(type);
  if (kind === TYPE.DISCONNECT) return { type: "disconnect" };
  if (kind === TYPE.HEARTBEAT && address === undefined) return { type: "heartbeat" };
  if (!isAddress(address) || !isName(id)) {
    return violation("D-OMDP-5", `client address of ${sizeOf(address)} and request id of ${sizeOf(id)}`);
  }
  const ref = { address: readBytes(address), requestId: requestId(readBytes(id)) };
  if (kind === TYPE.HEARTBEAT) return { type: "request-heartbeat", ...ref };
  if (kind !== TYPE.REQUEST || data === undefined) {
    return violation("D-OMDP-5", `a broker sent message type ${shown(type)} in ${frames.length} frames`);
  }
  const content = { service: OWN_SERVICE, body: [data], trailer: NO_TRAILER, options: DEFAULT_REQUEST_OPTIONS };
  return { type: "request", ...ref, ...content };
}

function isAddress(frame: Uint8Array | undefined): frame is Uint8Array {
  return frame !== undefined && frame.length > 0 && frame.length <= MAX_NAME_BYTES;
}
