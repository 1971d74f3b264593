// How the errors of handlers cross the wire: as plain objects. A failure of a nested request keeps its code and its delivery class
// (P-FAIL-5); any other error is rebuilt for the caller from its fields.

import { type Delivery, type FailureCode, isDelivery, isFailureCode, RequestError } from "./errors.ts";
import { getOwn } from "./payload.ts";
import { isError } from "./type-guards.ts";

/** An error as it crosses the wire. Further fields are its own that JSON can carry. */
export interface HandlerError {
  readonly name: string;
  readonly message: string;
  readonly code?: string | number;
  readonly detail?: unknown;
  /** Only if the host exposes stacks. */
  readonly stack?: string;
}

/** What `handlerErrorOf` adds to or changes in an error. */
export interface HandlerErrorOptions {
  /** A part of the reply was sent, so that a retry would repeat it. */
  readonly hasBegun?: boolean;
  /** Whether to include the stack, which shows paths and code. */
  readonly hasStack?: boolean;
}

/** The failure of a request that a handler made itself, and passes on as its error. */
export interface NestedFailure extends HandlerError {
  readonly name: "RequestError";
  readonly code: FailureCode;
  readonly delivery: Delivery;
  readonly service?: string;
  readonly requestId?: string;
  /** The failure that caused it, where the nested request failed by a nested request in turn. */
  readonly cause?: unknown;
}

/** Causes of a nested failure that cross the wire, and that are read from it. */
const MAX_CAUSES = 4;

/** Whether a value is such a failure, as an error or as it crosses the wire. */
export function isNestedFailure(value: unknown): value is NestedFailure {
  if (typeof value !== "object" || value === null) return false;
  try {
    return (
      Reflect.get(value, "name") === "RequestError" &&
      typeof Reflect.get(value, "message") === "string" &&
      isFailureCode(Reflect.get(value, "code")) &&
      isDelivery(Reflect.get(value, "delivery"))
    );
  } catch {
    // A proxy that is revoked, or a getter that throws.
    return false;
  }
}

/** A nested failure that was received, as the error that it was. */
export function nestedErrorOf(failure: NestedFailure, depth = 1): RequestError {
  const { service, requestId, cause } = failure;
  const error = new RequestError(failure, { service: textOf(service), requestId: textOf(requestId) });
  if (depth < MAX_CAUSES && isNestedFailure(cause)) error.cause = nestedErrorOf(cause, depth + 1);
  return error;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The most fields of an error that cross the wire, and the most characters of them as JSON. Further ones are left out. */
const MAX_FIELDS = 32;
const MAX_FIELD_LENGTH = 16_384;
/** Fields that `handlerErrorOf` treats by itself. */
const FIXED: ReadonlySet<string> = new Set(["name", "message", "stack", "code", "detail", "cause", "__proto__"]);

/** An `Error` as a `HandlerError`; any other value, which a handler may use as an error, unchanged. */
export function handlerErrorOf(error: unknown, options: HandlerErrorOptions = {}, depth = 1): unknown {
  if (!isError(error)) return error;
  const code: unknown = Reflect.get(error, "code");
  const detail: unknown = Reflect.get(error, "detail");
  const { hasBegun = false, hasStack = false } = options;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(detail !== undefined ? { detail } : {}),
    ...ownFieldsOf(error),
    ...(hasStack && typeof error.stack === "string" && { stack: error.stack }),
    ...(isNestedFailure(error) && nestedFields(error, hasBegun, depth)),
  } satisfies HandlerError;
}

/** Whether a value has the form in which errors cross the wire. */
export function isHandlerError(value: unknown): value is HandlerError {
  return typeof getOwn(value, "name") === "string" && typeof getOwn(value, "message") === "string";
}

/** The error that a handler threw, rebuilt. Its stack is that of the handler if it was sent, and otherwise one line. */
export function errorFrom(sent: HandlerError): Error {
  const { name, message } = sent;
  const error = new Error(message);
  const stack = typeof sent.stack === "string" ? sent.stack : `${name}: ${message}`;
  define(error, "name", name, false);
  define(error, "stack", stack, false);
  for (const [field, value] of Object.entries(sent)) {
    if (field === "code" || field === "detail" || !FIXED.has(field)) define(error, field, value, true);
  }
  return error;
}

/** Defines the field instead of setting it: a sender may name it like a setter. */
function define(error: Error, name: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, name, { value, enumerable, writable: true, configurable: true });
}

/** The own fields of an error that JSON can carry, as plain data. */
function ownFieldsOf(error: Error): object {
  const fields: [name: string, value: unknown][] = [];
  let length = 0;
  for (const name of Object.keys(error)) {
    if (FIXED.has(name) || fields.length >= MAX_FIELDS) continue;
    const text = jsonOf(error, name);
    if (text === undefined || length + name.length + text.length > MAX_FIELD_LENGTH) continue;
    length += name.length + text.length;
    fields.push([name, JSON.parse(text)]);
  }
  return Object.fromEntries(fields);
}

function jsonOf(error: Error, name: string): string | undefined {
  try {
    return JSON.stringify(Reflect.get(error, name));
  } catch {
    // A getter that throws, a cycle, or a BigInt.
    return undefined;
  }
}

function nestedFields(
  { delivery, service, requestId, cause }: NestedFailure,
  hasBegun: boolean,
  depth: number,
): object {
  return {
    delivery: hasBegun ? "maybe-executed" : delivery,
    ...(service !== undefined && { service }),
    ...(requestId !== undefined && { requestId }),
    ...(depth < MAX_CAUSES && isNestedFailure(cause) && { cause: handlerErrorOf(cause, {}, depth + 1) }),
  };
}
