// Decodes Majordomo frames of every flavor. Strict about commands and names; lenient about the empty frame behind the client
// address of a worker's reply, which some real peers leave out (D-MDP-7).

import type { DecodeCache } from "../../decode-cache.ts";
import { type Frame, type Frames, MAX_FRAMES, sameBytes } from "../../frame.ts";
import { isName, type RequestId, readBytes, requestId, type ServiceName, serviceName } from "../../ids.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { DEFAULT_REQUEST_OPTIONS, type RequestOptions } from "../../request-options.ts";
import { shown, sizeOf, type Violation, violation } from "../../violation.ts";
import type { Role } from "../dialect.ts";
import { RAW_TRAILER } from "../raw-body.ts";
import type { ClientCommand, Flavor, WorkerCommand } from "./wire.ts";

/** What the decoders of one dialect instance share. */
export interface Context {
  readonly flavor: Flavor;
  readonly services: DecodeCache<ServiceName>;
}

/** Majordomo has no request ids: the broker makes one, and workers echo the address instead. */
const NO_ID: RequestId = requestId("");

export function detect(flavor: Flavor, frames: Frames): Role | undefined {
  const at = headerIndex(flavor);
  if (flavor.isDelimited && frames[0]?.length !== 0) return undefined;
  if (isSame(frames[at], flavor.clientHeader)) {
    return flavor.client === undefined || isSame(frames[at + 1], flavor.client.request) ? "client" : undefined;
  }
  if (!isSame(frames[at], flavor.workerHeader)) return undefined;
  return workerCommand(flavor, frames[at + 1]) === undefined ? undefined : "worker";
}

/**
 * At the broker: [''] header [command] service body+
 * @param options the options of every request, because the protocol has no frame for them
 */
export function decodeFromClient(
  { flavor, services }: Context,
  frames: Frames,
  options: RequestOptions,
): FromClient | Violation {
  const rest = afterHeader(flavor, frames, "client");
  if (rest === undefined) return wrongHeader(flavor, frames);
  if (flavor.client !== undefined && !isSame(rest[0], flavor.client.request)) {
    return violation("D-MDP-2", `a client sent command ${shown(rest[0])}`);
  }
  const [name, ...body] = flavor.client === undefined ? rest : rest.slice(1);
  const service = readService(services, name);
  if (service === undefined) return violation("D-MDP-3", `request to a service of ${sizeOf(name)}`);
  if (body.length === 0) return violation("D-MDP-3", "request without a body");
  return {
    type: "request",
    service,
    requestId: NO_ID,
    body,
    isRaw: true,
    trailer: RAW_TRAILER,
    options,
  };
}

/** At the broker: [''] header command … */
export function decodeFromWorker({ flavor, services }: Context, frames: Frames): FromWorker | Violation {
  const rest = afterHeader(flavor, frames, "worker");
  if (rest === undefined) return wrongHeader(flavor, frames);
  const command = workerCommand(flavor, rest[0]);
  switch (command) {
    case "ready": {
      const service = readService(services, rest[1]);
      if (service === undefined || rest.length !== 2) return violation("D-MDP-4", `READY of ${frames.length} frames`);
      return { type: "ready", service, offer: undefined };
    }
    case "partial":
    case "final":
      return workerReply(command, rest);
    case "heartbeat":
      if (rest.length !== 1) return violation("D-MDP-6", `HEARTBEAT of ${frames.length} frames`);
      return { type: "heartbeat", concurrency: undefined, update: false };
    case "disconnect":
      if (rest.length !== 1) return violation("D-MDP-6", `DISCONNECT of ${frames.length} frames`);
      return { type: "disconnect" };
    default:
      return violation("D-MDP-2", `a worker sent command ${shown(rest[0])}`);
  }
}

/** At a client: [''] header [command] [service] body+ */
export function decodeToClient({ flavor, services }: Context, frames: Frames): ToClient | Violation {
  const rest = afterHeader(flavor, frames, "client");
  if (rest === undefined) return wrongHeader(flavor, frames);
  const command = flavor.client === undefined ? "final" : clientCommand(flavor.client, rest[0]);
  if (command !== "partial" && command !== "final") {
    return violation("D-MDP-2", `the broker sent a client command ${shown(rest[0])}`);
  }
  const content = flavor.client === undefined ? rest : rest.slice(1);
  const body = flavor.namesService ? content.slice(1) : content;
  const service = flavor.namesService ? readService(services, content[0]) : undefined;
  if (body.length === 0) return violation("D-MDP-3", "reply without a body");
  return {
    type: command,
    requestId: NO_ID,
    status: 0,
    body,
    isRaw: true,
    trailer: RAW_TRAILER,
    ...(service === undefined ? {} : { service }),
  };
}

/** At a worker: [''] header command … */
export function decodeToWorker(flavor: Flavor, frames: Frames): ToWorker | Violation {
  const rest = afterHeader(flavor, frames, "worker");
  if (rest === undefined) return wrongHeader(flavor, frames);
  const command = workerCommand(flavor, rest[0]);
  switch (command) {
    case "request": {
      const [, address, delimiter, ...body] = rest;
      if (address === undefined || address.length === 0 || delimiter?.length !== 0 || body.length === 0) {
        return violation("D-MDP-5", `dispatched request of ${frames.length} frames`);
      }
      return {
        type: "request",
        address: readBytes(address),
        service: serviceName(""),
        requestId: NO_ID,
        body,
        isRaw: true,
        trailer: RAW_TRAILER,
        options: DEFAULT_REQUEST_OPTIONS,
      };
    }
    case "heartbeat":
    case "disconnect":
      return { type: command };
    default:
      return violation("D-MDP-2", `the broker sent a worker command ${shown(rest[0])}`);
  }
}

/** At the broker: the address in a request for a worker. */
export function addressIn(flavor: Flavor, frames: Frames): string | undefined {
  const rest = afterHeader(flavor, frames, "worker");
  const address = isSame(rest?.[0], flavor.worker.request) ? rest?.[1] : undefined;
  return address && readBytes(address);
}

/** command address '' body+ */
function workerReply(type: "partial" | "final", rest: Frames): FromWorker | Violation {
  const address = rest[1];
  if (!isName(address)) {
    return violation("D-MDP-5", `reply to a client address of ${sizeOf(address)}`);
  }
  const body = rest.slice(rest[2]?.length === 0 ? 3 : 2);
  if (body.length === 0) return violation("D-MDP-5", "reply without a body");
  return {
    type,
    address: readBytes(address),
    requestId: NO_ID,
    status: 0,
    body,
    isRaw: true,
    trailer: RAW_TRAILER,
  };
}

/** The frames behind the header; `undefined` if the header is not that of the role. */
function afterHeader(flavor: Flavor, frames: Frames, role: Role): Frames | undefined {
  const at = headerIndex(flavor);
  if (frames.length > MAX_FRAMES || (flavor.isDelimited && frames[0]?.length !== 0)) return undefined;
  const header = role === "client" ? flavor.clientHeader : flavor.workerHeader;
  return isSame(frames[at], header) ? frames.slice(at + 1) : undefined;
}

function wrongHeader(flavor: Flavor, frames: Frames): Violation {
  if (frames.length > MAX_FRAMES) {
    return violation("D-MDP-1", `message of ${frames.length} frames; the maximum is ${MAX_FRAMES}`);
  }
  return violation("D-MDP-1", `not a message of ${flavor.id}: ${shown(frames[0])} ${shown(frames[1])}`);
}

function headerIndex(flavor: Flavor): number {
  return flavor.isDelimited ? 1 : 0;
}

function readService(services: DecodeCache<ServiceName>, frame: Frame | undefined): ServiceName | undefined {
  return isName(frame) ? services.read(frame) : undefined;
}

function workerCommand({ worker }: Flavor, frame: Frame | undefined): WorkerCommand | undefined {
  if (isSame(frame, worker.final)) return "final";
  if (isSame(frame, worker.heartbeat)) return "heartbeat";
  if (worker.partial !== undefined && isSame(frame, worker.partial)) return "partial";
  if (isSame(frame, worker.request)) return "request";
  if (isSame(frame, worker.ready)) return "ready";
  return isSame(frame, worker.disconnect) ? "disconnect" : undefined;
}

function clientCommand(codes: NonNullable<Flavor["client"]>, frame: Frame | undefined): ClientCommand | undefined {
  if (isSame(frame, codes.final)) return "final";
  if (isSame(frame, codes.partial)) return "partial";
  return isSame(frame, codes.request) ? "request" : undefined;
}

function isSame(frame: Frame | undefined, other: Frame): boolean {
  return frame !== undefined && sameBytes(frame, other);
}
