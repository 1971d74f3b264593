// Errors as butler carries them: `500:exception:` and a JSON object with two Python pickles. butler's client loads and raises
// one of them. We write them for builtin exceptions alone, and never pass on those that we receive (D-BUT-7).

import type { Frame } from "../../frame.ts";
import { readText, writeText } from "../../ids.ts";
import { decodePayload, getOwn, NOT_JSON } from "../../payload.ts";
import { isBuiltinException, pickleClass, pickleException, readPickledException } from "./pickle.ts";
import { EXCEPTION_PREFIX, NOT_FOUND } from "./wire.ts";

/** What a client raises for an error that is no builtin exception. */
const OTHER = "RuntimeError";
/** The most characters of a text of an error. The pickle and JSON of a text can be 13 times as long. */
const MAX_TEXT = 65_536;
/** A larger error is not parsed: it may be any JSON, whose value takes much more memory. */
const MAX_ERROR_BYTES = 1024 * 1024;

/** The error body for the `404` of a worker, as a host writes it (P-FAIL-6). */
export const NO_FUNCTION: Frame = writeText(
  JSON.stringify({
    name: "RequestError",
    message: "the service has no such function",
    code: "UNIMPLEMENTED",
    delivery: "dispatched",
  }),
);

/** A PIGATO error body as a butler response: an exception, or `404` if the service lacks the function. */
export function errorResponse(body: Frame): Frame {
  const error = readError(body);
  // The failure of a nested request has an id.
  if (getOwn(error, "code") === "UNIMPLEMENTED" && getOwn(error, "requestId") === undefined) return NOT_FOUND;
  const name = textOf(getOwn(error, "name")) ?? "Error";
  const message = textOf(getOwn(error, "message")) ?? textOf(error) ?? startOf(body);
  const traceback = textOf(getOwn(error, "detail")) ?? "";
  const raised = isBuiltinException(name) && getOwn(error, "builtin") !== false ? name : OTHER;
  const exception = {
    class: pickleClass(raised),
    object: pickleException({ name: raised, argument: message }),
    name,
    message,
    traceback,
    traceback_list: [],
  };
  return writeText(EXCEPTION_PREFIX + JSON.stringify(exception));
}

/** A worker's response as an error body; `undefined` if it is no exception. */
export function errorIn(response: Frame): Frame | undefined {
  const head = response.subarray(0, EXCEPTION_PREFIX.length);
  if (readText(head) !== EXCEPTION_PREFIX) return undefined;
  const sent = response.subarray(EXCEPTION_PREFIX.length);
  const exception = readError(sent);
  const name = textOf(getOwn(exception, "name")) ?? "Error";
  const message = textOf(getOwn(exception, "message")) ?? (exception === NOT_JSON ? startOf(sent) : "");
  const traceback = textOf(getOwn(exception, "traceback"));
  const detail = traceback === undefined ? {} : { detail: traceback };
  const object = textOf(getOwn(exception, "object"), Number.POSITIVE_INFINITY);
  const pickled = object === undefined ? undefined : readPickledException(object);
  if (pickled !== undefined) {
    return writeText(
      JSON.stringify({ name: pickled.name, message: withoutTraceback(pickled.argument, traceback), ...detail }),
    );
  }
  // A class of the same name is not the builtin one.
  const isOther = object !== undefined && isBuiltinException(name);
  return writeText(JSON.stringify({ name, message, ...detail, ...(isOther ? { builtin: false } : {}) }));
}

/** butler's worker appends the traceback to the exception's argument before it pickles the exception. */
function withoutTraceback(argument: string, traceback: string | undefined): string {
  const appended = `\n\nOriginal ${traceback ?? ""}`;
  return argument.endsWith(appended) ? argument.slice(0, -appended.length) : argument;
}

function readError(frame: Frame): unknown {
  return frame.length > MAX_ERROR_BYTES ? NOT_JSON : decodePayload(frame);
}

/** The start of an error that is no JSON, or too large to be read. */
function startOf(frame: Frame): string {
  return readText(frame.subarray(0, MAX_TEXT));
}

function textOf(value: unknown, maximum: number = MAX_TEXT): string | undefined {
  return typeof value === "string" ? value.slice(0, maximum) : undefined;
}
