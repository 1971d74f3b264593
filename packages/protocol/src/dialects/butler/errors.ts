// Errors as butler carries them: `500:exception:` and a JSON object. The original puts Python pickles into it, which run
// code in whoever reads them: none is ever written here, and those that come in are left out unread (D-BUT-7).

import type { Frame } from "../../frame.ts";
import { readText, writeText } from "../../ids.ts";
import { decodePayload } from "../../payload.ts";
import { EXCEPTION_PREFIX } from "./wire.ts";

/** The body of an error of PIGATO's as a butler response. */
export function exceptionOf(body: Frame | undefined): Frame {
  const error = body === undefined ? undefined : decodePayload(body);
  const name = textOf(field(error, "name")) ?? "Error";
  const message = textOf(field(error, "message")) ?? (typeof error === "string" ? error : "");
  const traceback = textOf(field(error, "detail")) ?? "";
  return writeText(`${EXCEPTION_PREFIX}${JSON.stringify({ name, message, traceback, traceback_list: [] })}`);
}

/** A worker's response as the body of an error; `undefined` if it is none. */
export function errorIn(response: Frame): Frame | undefined {
  const head = response.subarray(0, EXCEPTION_PREFIX.length);
  if (readText(head) !== EXCEPTION_PREFIX) return undefined;
  const exception = decodePayload(response.subarray(EXCEPTION_PREFIX.length));
  const traceback = textOf(field(exception, "traceback"));
  return writeText(
    JSON.stringify({
      name: textOf(field(exception, "name")) ?? "Error",
      message: textOf(field(exception, "message")) ?? "",
      ...(traceback === undefined ? {} : { detail: traceback }),
    }),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
