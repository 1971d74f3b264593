// The failures that a client detects itself, and the failures in replies of workers. Each message states the operation, the
// object and the reason. The delivery class never promises more than this side knows: a sent request may have been executed.

import type { LossReason } from "@pigato/peer/session";
import {
  type Delivery,
  display,
  type Failure,
  NOT_JSON,
  RequestError,
  type ToClient,
  UsageError,
} from "@pigato/protocol";
import {
  type BodyCodecName,
  errorFrom,
  getOwn,
  isError,
  isHandlerError,
  isNestedFailure,
  MALFORMED,
  nestedErrorOf,
  reasonOf,
  timeoutToWire,
} from "@pigato/protocol/internal";
import type { Notice, RequestMessage } from "./effects.ts";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

/** The maximum length of a worker's error in a message. The detail holds all of it. */
const MAX_QUOTED_LENGTH = 200;

const LOSSES: Readonly<Record<LossReason, string>> = {
  silence: "it was silent too long",
  "link-down": "the link went down",
  disconnected: "it was disconnected",
  unreachable: "it cannot be reached",
  abandoned: "its link was discarded",
};

/** The client's knowledge of a request that it ends. */
interface RequestInfo {
  readonly message: RequestMessage;
  readonly delivery: Delivery;
  readonly notice: Notice | undefined;
}

export function timedOut(request: RequestInfo): Failure {
  return endedHere(
    "DEADLINE_EXCEEDED",
    request,
    `exceeded its ${timeoutToWire(request.message.options.timeoutMs)} ms timeout`,
  );
}

export function deadlineExceeded(request: RequestInfo): Failure {
  const { deadlineMs = 0 } = request.message;
  return endedHere("DEADLINE_EXCEEDED", request, `exceeded its deadline of ${Math.ceil(deadlineMs)} ms`);
}

/** Its timer fired before its deadline: its timeout has passed, or the time that it may wait for a connection. */
export function timeUp(request: RequestInfo & { readonly sends: number }): Failure {
  const { timeoutMs, acceptTimeoutMs = timeoutMs } = request.message.options;
  if (request.sends > 0 || acceptTimeoutMs >= timeoutMs) return timedOut(request);
  return endedHere("UNAVAILABLE", request, `was not sent in ${acceptTimeoutMs} ms (acceptTimeout)`);
}

export function brokerLost(request: RequestInfo, reason: LossReason): Failure {
  return endedHere("BROKER_LOST", request, `lost its broker: ${LOSSES[reason]}`);
}

/** Adds why there is no connection to a request that was not sent for that reason. */
export function withObstacle(failure: Failure, obstacle: string | undefined): Failure {
  const { code, delivery, message } = failure;
  if (obstacle === undefined || delivery !== "not-sent") return failure;
  const waited = code === "DEADLINE_EXCEEDED" || code === "BUSY" || code === "UNAVAILABLE";
  return waited ? { ...failure, message: `${message}; ${obstacle}` } : failure;
}

/** @param reason the caller's reason, e.g. that of its `AbortSignal`, or the error of its input */
export function canceled(request: RequestMessage, delivery: Delivery, reason: unknown): Failure {
  return { code: "CANCELED", message: `${shown(request)} ${whyCanceled(reason)}`, delivery, detail: reason };
}

/** An `AbortError` and values of other types say no more than that the caller canceled. */
export function whyCanceled(reason: unknown): string {
  const isReason = typeof reason === "string" ? reason !== "" : isError(reason) && !isAbortError(reason);
  return isReason ? `was canceled: ${quoted(reasonOf(reason))}` : "was canceled by its caller";
}

/** What callers throw may throw in turn when it is read. */
function isAbortError(error: Error): boolean {
  try {
    return error.name === "AbortError";
  } catch {
    return false;
  }
}

export function closed(request: RequestInfo): Failure {
  return endedHere("CLOSED", request, "ended because its client stopped");
}

/** A request made after `stop()`. */
export function closedBefore(request: RequestMessage): Failure {
  return closed({ message: request, delivery: "not-sent", notice: undefined });
}

export function tooManyOpen(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: ${bound} requests are open, the most that maxOpenRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function tooManyWaiting(request: RequestMessage, bound: number): Failure {
  const reason = `was refused: ${bound} requests wait to be sent, the most that maxQueuedRequests allows`;
  return { code: "BUSY", message: `${shown(request)} ${reason}`, delivery: "not-sent" };
}

export function congested(request: RequestMessage, delivery: Delivery): Failure {
  const message = `${shown(request)} could not be sent: the link to the broker is full, because the broker reads too slowly`;
  return { code: "BUSY", message, delivery };
}

/** P-SIZE-1. @param excess by what the request exceeds what the broker accepts */
export function tooLarge({ message, delivery }: RequestInfo, excess: string): Failure {
  return { code: "INVALID", message: `${shown(message)} is too large for the broker: ${excess}`, delivery };
}

/** P-CODEC-2. */
export function unsupportedCodec({ message, delivery }: RequestInfo, codec: BodyCodecName): Failure {
  return lacking(`${shown(message)} cannot be sent in the codec "${codec}"`, `codec=${codec}`, delivery);
}

/** P-STREAM-7. */
export function unsupportedInput({ message, delivery }: RequestInfo): Failure {
  return lacking(`${shown(message)} cannot stream its input`, "duplex", delivery);
}

/** P-TIME-6: this side cannot know when a worker has the request. */
export function unsupportedAcceptTimeout({ message, delivery }: RequestInfo): Failure {
  return lacking(`${shown(message)} cannot have an acceptTimeout`, "methods", delivery);
}

/** P-FAIL-7. */
function lacking(what: string, missing: string, delivery: Delivery): Failure {
  const message = `${what}: its broker does not support it (${missing}), or the client does not negotiate`;
  return { code: "INVALID", message, delivery, detail: { missing, peer: "broker" } };
}

/** P-SIZE-1. */
export function tooLargeInput({ message, delivery }: RequestInfo, excess: string): Failure {
  return {
    code: "INVALID",
    message: `a chunk of input of ${shown(message)} is too large for the broker: ${excess}`,
    delivery,
  };
}

/** Chunks before it were sent, so a worker may have acted on them. */
export function invalidInput(
  { delivery }: RequestInfo,
  { message, detail }: { readonly message: string; readonly detail: unknown },
): Failure {
  return { code: "INVALID_ARGUMENT", message, delivery, detail };
}

export function malformed(request: RequestMessage, detail: string): Failure {
  const message = `${shown(request)} got a malformed reply: ${detail}`;
  return { code: "INVALID", message, delivery: "maybe-executed", detail };
}

/**
 * The failure in a reply; `undefined` for success.
 * @param value its decoded body
 */
export function failureOf(reply: Reply, value: unknown, request: RequestMessage): Failure | undefined {
  if (reply.status !== 0 && reply.status !== -1) {
    const message = `${shown(request)} failed in its worker with status ${reply.status}`;
    return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: reply.status };
  }
  if (value === NOT_JSON) return malformed(request, "its body is not JSON");
  if (value === MALFORMED) return malformed(request, "its body is not in the codec that was asked for");
  if (reply.status === 0) return undefined;
  if (isNestedFailure(value)) {
    const { code, message, delivery } = value;
    // P-FAIL-6: the worker itself refused the request, which is not the failure of a nested one.
    const isOwn = value.requestId === undefined && (code === "INVALID_ARGUMENT" || code === "UNIMPLEMENTED");
    return { code, message, delivery, detail: isOwn ? value.detail : value };
  }
  const message = messageOf(value) ?? `${shown(request)} failed in its worker, which did not say why`;
  return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: value };
}

/**
 * A failure of a broker that did not negotiate failures (P-FAIL-1): an old broker forwards this field from workers, which know
 * nothing about delivery.
 */
export function fromWorker({ message, ...failure }: Failure): Failure {
  return { code: "WORKER_FAILED", message, delivery: "maybe-executed", detail: { ...failure, message } };
}

/** The message of a worker's error. */
function messageOf(value: unknown): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return quoted(value);
  if (typeof value === "object" && Object.hasOwn(value, "message")) {
    const message: unknown = Reflect.get(value, "message");
    if (typeof message === "string") return message;
  }
  return quoted(jsonOf(value));
}

/** A worker may send arrays within arrays that JSON.parse reads and JSON.stringify cannot write, as its stack is too small. */
function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "an error that cannot be shown";
  }
}

function quoted(text: string): string {
  return text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
}

/**
 * The detail is the last notice. The broker may have dispatched the request since, so a notice does not make a retry safer
 * (P-NOT-2).
 */
function endedHere(
  code: Failure["code"],
  { message: request, delivery, notice }: RequestInfo,
  reason: string,
): Failure {
  const message = `${shown(request)} ${reason}`;
  if (notice === undefined) return { code, message, delivery };
  const place = notice.worker === undefined ? "" : ` to the worker "${notice.worker}"`;
  return {
    code,
    message: `${message}; its last notice: ${notice.state}${place}`,
    delivery,
    detail: notice,
  };
}

/** P-FAIL-7: a request that needs what a peer lacks is misuse. The `cause` is its failure. */
export function errorOf({ service, requestId }: RequestMessage, failure: Failure): RequestError | UsageError {
  const error = new RequestError(failure, { service: display(service), requestId: display(requestId) });
  const { code, detail } = failure;
  if (isNestedFailure(detail)) error.cause = nestedErrorOf(detail);
  else if (code === "WORKER_FAILED" && isHandlerError(detail)) error.cause = errorFrom(detail);
  // The reason of a signal, or the error of a source of input.
  else if (code === "CANCELED" && isError(detail)) error.cause = detail;
  const isMisuse = code === "INVALID" && typeof getOwn(detail, "missing") === "string";
  return isMisuse ? new UsageError(failure.message, { cause: error }) : error;
}

function shown(request: RequestMessage): string {
  return `request ${display(request.requestId)} to "${display(request.service)}"`;
}
