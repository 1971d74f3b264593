// Errors as butler carries them: `500:exception:` and a JSON object with two Python pickles. butler's client loads and raises
// one of them. We write them for builtin exceptions alone, and never pass on those that we receive (D-BUT-7).

import type { Frame } from "../../frame.ts";
import { readText, writeText } from "../../ids.ts";
import { decodePayload, getOwn } from "../../payload.ts";
import { isBuiltinException, pickleClass, pickleException, readPickledException } from "./pickle.ts";
import { EXCEPTION_PREFIX } from "./wire.ts";

/** What a client raises for an error that is no builtin exception. */
const OTHER = "RuntimeError";

/** A PIGATO error body as a butler response. */
export function exceptionOf(body: Frame): Frame {
  const error = decodePayload(body);
  const name = textOf(getOwn(error, "name")) ?? "Error";
  const message = textOf(getOwn(error, "message")) ?? textOf(error) ?? readText(body);
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
  const exception = decodePayload(response.subarray(EXCEPTION_PREFIX.length));
  const name = textOf(getOwn(exception, "name")) ?? "Error";
  const message = textOf(getOwn(exception, "message")) ?? "";
  const traceback = textOf(getOwn(exception, "traceback"));
  const detail = traceback === undefined ? {} : { detail: traceback };
  const object = textOf(getOwn(exception, "object"));
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

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
