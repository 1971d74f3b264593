// The failures that a client finds by itself, and how it reads those of a worker. Each message says what failed, on
// what, and why. The delivery class never promises more than this side knows: what was sent may have been executed.

import {
  type Delivery,
  display,
  type Failure,
  type LossReason,
  NOT_JSON,
  type ToClient,
  timeoutToWire,
} from "@pigato/protocol";
import type { RequestMessage } from "./calls.ts";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

/** The most characters of a worker's error that go into a message; the whole of it is the detail. */
const MAX_QUOTED_LENGTH = 200;

const LOSSES: Readonly<Record<LossReason, string>> = {
  silence: "it fell silent",
  "link-down": "the link went down",
  disconnected: "it was disconnected",
  unreachable: "it cannot be reached",
};

export function timedOut(request: RequestMessage, delivery: Delivery): Failure {
  const reason = `exceeded its ${timeoutToWire(request.options.timeoutMs)} ms timeout`;
  return { code: "DEADLINE_EXCEEDED", message: `${shown(request)} ${reason}`, delivery };
}

export function brokerLost(request: RequestMessage, delivery: Delivery, reason: LossReason): Failure {
  return { code: "BROKER_LOST", message: `${shown(request)} lost its broker: ${LOSSES[reason]}`, delivery };
}

/** @param reason what the caller gave as its reason, e.g. that of its `AbortSignal` */
export function canceled(request: RequestMessage, delivery: Delivery, reason: unknown): Failure {
  return { code: "CANCELED", message: `${shown(request)} was canceled by its caller`, delivery, detail: reason };
}

export function closed(request: RequestMessage, delivery: Delivery): Failure {
  return { code: "CLOSED", message: `${shown(request)} ended because its client stopped`, delivery };
}

export function tooManyOpen(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: ${bound} requests are open, the most that maxOpenRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function tooManyWaiting(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: no broker is connected and ${bound} requests wait, the most that maxQueuedRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function congested(request: RequestMessage, delivery: Delivery): Failure {
  const reason = "was refused: too much waits to be written to the broker";
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery };
}

export function malformed(request: RequestMessage, detail: string): Failure {
  const message = `${shown(request)} got a malformed reply: ${detail}`;
  return { code: "INVALID", message, delivery: "maybe-executed", detail };
}

/**
 * Why a reply is no success, if it is none.
 * @param value its decoded body
 */
export function failureOf(reply: Reply, value: unknown, request: RequestMessage): Failure | undefined {
  if (reply.status !== 0 && reply.status !== -1) {
    const message = `${shown(request)} failed in its worker with status ${reply.status}`;
    return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: reply.status };
  }
  if (value === NOT_JSON) return malformed(request, "its body is not JSON");
  if (reply.status === 0) return undefined;
  const message = messageOf(value) ?? `${shown(request)} failed in its worker, which did not say why`;
  return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: value };
}

/**
 * What carries the broker's mark although the broker never said that it marks anything (P-FAIL-1): an old broker hands
 * on whatever a worker writes there, and a worker's word says nothing about delivery.
 */
export function fromWorker({ message, ...failure }: Failure): Failure {
  return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: { ...failure, message } };
}

/** What a worker's error says, in words: its own message where it has one. */
function messageOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return quoted(value);
  if (typeof value === "object" && Object.hasOwn(value, "message")) {
    const message: unknown = Reflect.get(value, "message");
    if (typeof message === "string") return message;
  }
  return quoted(JSON.stringify(value));
}

function quoted(text: string): string {
  return text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
}

function shown(request: RequestMessage): string {
  return `request ${display(request.requestId)} to "${display(request.service)}"`;
}
