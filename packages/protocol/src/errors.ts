// How a request can fail, and what each failure says about a retry. A `Failure` is the value that crosses the wire and
// the cores; `RequestError` is the same as an exception for the caller.

/** Why a request did not succeed. Closed: a peer that reads another word treats it as `INVALID`. */
export type FailureCode =
  | "UNAVAILABLE" // nobody offers the service, or not the worker that was asked for
  | "BUSY" // a bound was reached
  | "DEADLINE_EXCEEDED" // its timeout passed
  | "WORKER_LOST" // its worker died, left or was disconnected
  | "BROKER_LOST" // the connection to the broker was lost
  | "REJECTED" // every worker of the service declined
  | "WORKER_FAILED" // the handler failed; its error is the detail
  | "CANCELED" // the caller gave up
  | "CLOSED" // our side, or the broker, stopped first
  | "INVALID"; // the peer refused the message

/**
 * How far the request had come when it failed.
 * - `not-sent`: no broker accepted it
 * - `queued`: a broker had it, no worker ever did
 * - `dispatched`: every worker that had it gave it back without running it
 * - `maybe-executed`: a worker may have run it, in part or in whole
 *
 * All but the last are safe to retry.
 */
export type Delivery = "not-sent" | "queued" | "dispatched" | "maybe-executed";

export interface Failure {
  readonly code: FailureCode;
  readonly message: string;
  readonly delivery: Delivery;
  /** What else is known: the handler's error for `WORKER_FAILED`, the broken clause for `INVALID`. */
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
]);

const DELIVERIES: ReadonlySet<unknown> = new Set<Delivery>(["not-sent", "queued", "dispatched", "maybe-executed"]);

export function isFailureCode(value: unknown): value is FailureCode {
  return CODES.has(value);
}

export function isDelivery(value: unknown): value is Delivery {
  return DELIVERIES.has(value);
}

/** The base of the errors that PIGATO makes. Branch on `code`, not on the class: two copies of a package may meet. */
export abstract class PigatoError extends Error {
  abstract readonly code: string;
}

/** A request that did not succeed. */
export class RequestError extends PigatoError {
  override readonly name = "RequestError";
  readonly code: FailureCode;
  readonly delivery: Delivery;
  readonly detail: unknown;
  readonly service: string | undefined;
  readonly requestId: string | undefined;

  constructor(failure: Failure, request?: { readonly service: string; readonly requestId: string }) {
    super(failure.message);
    this.code = failure.code;
    this.delivery = failure.delivery;
    this.detail = failure.detail;
    this.service = request?.service;
    this.requestId = request?.requestId;
  }

  /** Whether sending the request again cannot make it run twice. */
  get isRetrySafe(): boolean {
    return this.delivery !== "maybe-executed";
  }
}

/** The caller used the API in a way it does not allow. Thrown at once; the message names the argument and the value. */
export class UsageError extends PigatoError {
  override readonly name = "UsageError";
  readonly code = "USAGE";
}

/** The fixed shape in which an error of a handler crosses the wire: never code, never a stack. */
export interface HandlerError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly detail?: unknown;
}

/** An error as its fixed shape; any other value, which a handler may pass as its error, as it is. */
export function handlerErrorOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code: unknown = Reflect.get(error, "code");
  const detail: unknown = Reflect.get(error, "detail");
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(detail !== undefined ? { detail } : {}),
  } satisfies HandlerError;
}
