// The errors that a contract declares. A handler reports one with `ctx.fail`, and its caller gets the same `MethodError`. Every other
// failure is a `RequestError` with a code of the closed list.

import { type Delivery, PigatoError, type RequestError } from "@pigato/protocol";
import { getOwn, isError as isAnyError, isHandlerError } from "@pigato/protocol/internal";
import type { Method } from "./method.ts";
import type { Issue } from "./schema.ts";
import type { ErrorCode, ErrorData } from "./types.ts";

/** The issues that an error shows in its message. */
const MAX_SHOWN_ISSUES = 3;

/** The failure of a request with a code that the contract of a method declares. */
export class MethodError<Code extends string = string, Detail = unknown> extends PigatoError {
  override readonly name = "MethodError";
  /** One of the codes that the contract declares. */
  readonly code: Code;
  /** The data of the error, as its schema describes it. */
  readonly detail: Detail;
  /** How far the request got. `maybe-executed` at the host, where the handler has run. */
  readonly delivery: Delivery;
  /** The service of the request; `undefined` at the host. */
  readonly service: string | undefined;
  /** The id of the request; `undefined` at the host. */
  readonly requestId: string | undefined;

  constructor(
    failure: { readonly code: Code; readonly detail: Detail; readonly message: string },
    request?: Pick<RequestError, "delivery" | "service" | "requestId">,
  ) {
    super(failure.message);
    this.code = failure.code;
    this.detail = failure.detail;
    this.delivery = request?.delivery ?? "maybe-executed";
    this.service = request?.service;
    this.requestId = request?.requestId;
  }

  /** Whether a retry cannot run the request twice. */
  get isRetrySafe(): boolean {
    return this.delivery !== "maybe-executed";
  }
}

/** The errors of a method: all, or those with some of its codes. */
export type MethodErrorOf<Of extends Method, Code extends ErrorCode<Of> = ErrorCode<Of>> = {
  [One in Code]: MethodError<One, ErrorData<Of, One>>;
}[Code];

/** A function of a client that calls a method. */
interface WithDefinition<Of extends Method> {
  readonly definition: Of;
}

/**
 * Whether an error is one that the contract of a method declares.
 * @param method of a contract, or the function of a client that calls it
 * @param code the code to look for; without it, any code of the method
 */
export function isError<Of extends Method, Code extends ErrorCode<Of> = ErrorCode<Of>>(
  error: unknown,
  method: Of | WithDefinition<Of>,
  code?: Code,
): error is MethodErrorOf<Of, Code> {
  const { errors } = "definition" in method ? method.definition : method;
  if (!isAnyError(error) || error.name !== "MethodError" || !("code" in error)) return false;
  return (
    typeof error.code === "string" && Object.hasOwn(errors, error.code) && (code === undefined || error.code === code)
  );
}

/**
 * The failure of a call as its caller gets it: an error that the method declares, or the failure unchanged. One that a nested request
 * of the handler caused is not the method's own, even if it has the same code.
 */
export function callerErrorOf(failure: RequestError, method: Method): RequestError | MethodError {
  const { code, detail } = failure;
  if (code !== "WORKER_FAILED" || !isHandlerError(detail) || detail.name !== "MethodError") return failure;
  if (
    typeof detail.code !== "string" ||
    !Object.hasOwn(method.errors, detail.code) ||
    getOwn(detail, "requestId") !== undefined
  ) {
    return failure;
  }
  const error = new MethodError({ code: detail.code, detail: detail.detail, message: failure.message }, failure);
  error.cause = failure.cause;
  return error;
}

/** What is wrong with a value, for an error message: `ticker: expected a string; items[3].when: expected a date`. */
export function describeIssues(issues: readonly Issue[]): string {
  const shown = issues.slice(0, MAX_SHOWN_ISSUES).map(({ path, message }) => {
    const place = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
    return place === "" ? message : `${place.replace(/^\./, "")}: ${message}`;
  });
  const more = issues.length - shown.length;
  return more > 0 ? `${shown.join("; ")}; and ${more} more` : shown.join("; ");
}
