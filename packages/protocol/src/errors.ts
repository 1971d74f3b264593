// How a request can fail, and whether a retry is safe. A `Failure` is the value on the wire and in the cores; `RequestError` is
// the exception for the caller. handler-errors.ts has the errors of handlers.

import { isError } from "./type-guards.ts";

/** Why a request failed. The list is closed: peers treat an unknown code as `INVALID`. */
export type FailureCode =
  | "UNAVAILABLE" // no worker of the service takes it, or not the one that `workerId` names
  | "BUSY" // a queue or table is full
  | "DEADLINE_EXCEEDED" // the timeout or the deadline passed
  | "WORKER_LOST" // the worker died, left or was disconnected
  | "BROKER_LOST" // the connection to the broker was lost
  | "REJECTED" // every worker of the service rejected it
  | "WORKER_FAILED" // the handler failed; the detail is its error
  | "CANCELED" // the caller canceled it
  | "CLOSED" // the client or the broker stopped first
  | "INVALID" // the peer rejected the message
  | "INVALID_ARGUMENT" // the input of a method does not match its schema; the detail has the issues
  | "UNIMPLEMENTED"; // the service has no such method

/**
 * How far the request got before it failed.
 * - `not-sent`: no broker accepted it
 * - `queued`: a broker accepted it, and no worker received it
 * - `dispatched`: every worker that received it returned it without running it
 * - `maybe-executed`: a worker may have run it, partly or completely
 *
 * All but the last are safe to retry.
 */
export type Delivery = "not-sent" | "queued" | "dispatched" | "maybe-executed";

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly delivery: Delivery;
  /** More information: the handler's error for `WORKER_FAILED`, the broken clause for `INVALID`. */
  readonly detail?: unknown;
}

const CODES: ReadonlySet<unknown> = new Set<FailureCode>([
  "UNAVAILABLE",
  "BUSY",
  "DEADLINE_EXCEEDED",
  "WORKER_LOST",
  "BROKER_LOST",
  "REJECTED",
  "WORKER_FAILED",
  "CANCELED",
  "CLOSED",
  "INVALID",
  "INVALID_ARGUMENT",
  "UNIMPLEMENTED",
]);

const DELIVERIES: ReadonlySet<unknown> = new Set<Delivery>(["not-sent", "queued", "dispatched", "maybe-executed"]);

export function isFailureCode(value: unknown): value is FailureCode {
  return CODES.has(value);
}

export function isDelivery(value: unknown): value is Delivery {
  return DELIVERIES.has(value);
}

/** The base of all PIGATO errors. Branch on `code`, not on the class: a process may load a package twice. */
export abstract class PigatoError extends Error {
  abstract readonly code: string;
}

/** A request failed. */
export class RequestError extends PigatoError {
  override readonly name = "RequestError";
  readonly code: FailureCode;
  readonly delivery: Delivery;
  readonly detail: unknown;
  readonly service: string | undefined;
  readonly requestId: string | undefined;

  constructor(
    failure: Failure,
    request?: { readonly service: string | undefined; readonly requestId: string | undefined },
  ) {
    super(failure.message);
    this.code = failure.code;
    this.delivery = failure.delivery;
    this.detail = failure.detail;
    this.service = request?.service;
    this.requestId = request?.requestId;
  }

  /** Whether a retry cannot run the request twice. */
  get isRetrySafe(): boolean {
    return this.delivery !== "maybe-executed";
  }
}

/** The caller misused the API. Thrown at once; the message names the argument and the value. */
export class UsageError extends PigatoError {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** The reason for which something failed, as text. User code may throw anything, even an object that throws when it is read. */
export function reasonOf(error: unknown): string {
  try {
    return String(isError(error) ? error.message : error);
  } catch {
    return "an error that cannot be shown";
  }
}
