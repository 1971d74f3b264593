// The failures that a client finds by itself, and how it reads those of a worker. Each message says what failed, on
// what, and why. The delivery class never promises more than this side knows: what was sent may have been executed.

import type { LossReason } from "@pigato/peer/session";
import { type Delivery, display, type Failure, NOT_JSON, type ToClient, timeoutToWire } from "@pigato/protocol";
import type { RequestMessage } from "./calls.ts";
import type { Notice } from "./effects.ts";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

/** The most characters of a worker's error that go into a message; the whole of it is the detail. */
const MAX_QUOTED_LENGTH = 200;

const LOSSES: Readonly<Record<LossReason, string>> = {
  silence: "it fell silent",
  "link-down": "the link went down",
  disconnected: "it was disconnected",
  unreachable: "it cannot be reached",
  abandoned: "its link was given up",
};

/** What a client knows of a request that it ends. */
interface Known {
  readonly message: RequestMessage;
  readonly delivery: Delivery;
  readonly notice: Notice | undefined;
}

export function timedOut(known: Known): Failure {
  return endedHere(
    "DEADLINE_EXCEEDED",
    known,
    `exceeded its ${timeoutToWire(known.message.options.timeoutMs)} ms timeout`,
  );
}

export function brokerLost(known: Known, reason: LossReason): Failure {
  return endedHere("BROKER_LOST", known, `lost its broker: ${LOSSES[reason]}`);
}

/** @param reason what the caller gave as its reason, e.g. that of its `AbortSignal` */
export function canceled(request: RequestMessage, delivery: Delivery, reason: unknown): Failure {
  return { code: "CANCELED", message: `${shown(request)} was canceled by its caller`, delivery, detail: reason };
}

export function closed(known: Known): Failure {
  return endedHere("CLOSED", known, "ended because its client stopped");
}

/** A request that is made too late. */
export function closedBefore(request: RequestMessage): Failure {
  return closed({ message: request, delivery: "not-sent", notice: undefined });
}

export function tooManyOpen(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: ${bound} requests are open, the most that maxOpenRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function tooManyWaiting(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: no broker is connected and ${bound} requests wait, the most that maxQueuedRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function tooManyInLine(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: ${bound} requests wait for their turn, the most that maxQueuedRequests allows`;
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

/**
 * The last notice is the detail. It says where the request was, not where it is: by the time it is read, the broker may
 * have passed the request on. So it does not make the failure any safer to retry (P-NOT-2).
 */
function endedHere(code: Failure["code"], { message: request, delivery, notice }: Known, reason: string): Failure {
  const message = `${shown(request)} ${reason}`;
  if (notice === undefined) return { code, message, delivery };
  const place = notice.worker === undefined ? "" : ` to the worker "${notice.worker}"`;
  return {
    code,
    message: `${message}; the last that was heard of it: ${notice.state}${place}`,
    delivery,
    detail: notice,
  };
}

function shown(request: RequestMessage): string {
  return `request ${display(request.requestId)} to "${display(request.service)}"`;
}
