// Encodes messages as Majordomo frames of every flavor. Messages without frames there are not sent: offers, cancels, notices,
// heartbeats of single requests and, in 0.1, partials.

import { EMPTY, type Frame, type Frames, type FrameToSend } from "../../frame.ts";
import { type ServiceName, writeText } from "../../ids.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../../message.ts";
import { methodInBody } from "../method-body.ts";
import type { Flavor } from "./wire.ts";

/** @param answersErrors whether to send failures, as a JSON body: the protocol has no frame for them (D-MAP-5) */
export function encodeToClient(flavor: Flavor, message: ToClient, answersErrors: boolean): FrameToSend[] | undefined {
  switch (message.type) {
    case "partial":
      // A partial is never a failure: only a final has a status.
      return flavor.client && reply(flavor, flavor.client.partial, message.service, message.body);
    case "final": {
      if (message.status === 0) return reply(flavor, flavor.client?.final, message.service, message.body);
      if (!answersErrors) return undefined;
      const error = message.status === -1 ? message.body : [writeText(String(message.status))];
      return reply(flavor, flavor.client?.final, message.service, error);
    }
    case "failure": {
      if (!answersErrors) return undefined;
      const { code, message: text, delivery } = message.failure;
      const body = [writeText(JSON.stringify({ code, message: text, delivery }))];
      return reply(flavor, flavor.client?.final, message.service, body);
    }
    case "heartbeat":
    case "request-heartbeat":
    case "notice":
    case "partials":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

export function encodeToWorker(flavor: Flavor, message: ToWorker): FrameToSend[] | undefined {
  switch (message.type) {
    case "request": {
      const body = message.hasMethodInBody === true ? [methodInBody(message, false)] : message.body;
      return [...workerHead(flavor, flavor.worker.request), message.address, EMPTY, ...body];
    }
    case "heartbeat":
      return workerHead(flavor, flavor.worker.heartbeat);
    case "disconnect":
      return workerHead(flavor, flavor.worker.disconnect);
    case "ready":
    case "service-answer":
    case "request-heartbeat":
    case "cancel":
    case "credit":
    case "input":
    case "input-end":
      return undefined;
    default:
      return message satisfies never;
  }
}

export function encodeFromClient(flavor: Flavor, message: FromClient): FrameToSend[] | undefined {
  if (message.type !== "request") return undefined;
  const head = clientHead(flavor, flavor.client?.request);
  return [...head, message.service, ...message.body];
}

export function encodeFromWorker(flavor: Flavor, message: FromWorker): FrameToSend[] | undefined {
  switch (message.type) {
    case "ready":
      return [...workerHead(flavor, flavor.worker.ready), message.service];
    case "partial":
      if (flavor.worker.partial === undefined) return undefined;
      return [...workerHead(flavor, flavor.worker.partial), message.address, EMPTY, ...message.body];
    case "final":
      return [...workerHead(flavor, flavor.worker.final), message.address, EMPTY, ...message.body];
    case "heartbeat":
      return workerHead(flavor, flavor.worker.heartbeat);
    case "disconnect":
      return workerHead(flavor, flavor.worker.disconnect);
    case "request-heartbeat":
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

function reply(
  flavor: Flavor,
  command: Frame | undefined,
  service: ServiceName | undefined,
  body: Frames,
): FrameToSend[] {
  const head = clientHead(flavor, command);
  if (flavor.namesService) head.push(service ?? "");
  head.push(...body);
  return head;
}

function clientHead({ isDelimited, clientHeader }: Flavor, command: Frame | undefined): FrameToSend[] {
  const head = isDelimited ? [EMPTY, clientHeader] : [clientHeader];
  if (command !== undefined) head.push(command);
  return head;
}

function workerHead({ isDelimited, workerHeader }: Flavor, command: Frame): FrameToSend[] {
  return isDelimited ? [EMPTY, workerHeader, command] : [workerHeader, command];
}
