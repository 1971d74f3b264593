// Errors as butler carries them: `500:exception:` and a JSON object. The original adds Python pickles, which run code in the
// process that reads them. We write none, and skip those that we receive without reading them (D-BUT-7).

import type { Frame } from "../../frame.ts";
import { readText, writeText } from "../../ids.ts";
import { decodePayload, getOwn } from "../../payload.ts";
import { EXCEPTION_PREFIX } from "./wire.ts";

/** A PIGATO error body as a butler response. */
export function exceptionOf(body: Frame): Frame {
  const error = decodePayload(body);
  const name = textOf(getOwn(error, "name")) ?? "Error";
  const message = textOf(getOwn(error, "message")) ?? (typeof error === "string" ? error : "");
  const traceback = textOf(getOwn(error, "detail")) ?? "";
  return writeText(`${EXCEPTION_PREFIX}${JSON.stringify({ name, message, traceback, traceback_list: [] })}`);
}

/** A worker's response as an error body; `undefined` if it is no exception. */
export function errorIn(response: Frame): Frame | undefined {
  const head = response.subarray(0, EXCEPTION_PREFIX.length);
  if (readText(head) !== EXCEPTION_PREFIX) return undefined;
  const exception = decodePayload(response.subarray(EXCEPTION_PREFIX.length));
  const traceback = textOf(getOwn(exception, "traceback"));
  return writeText(
    JSON.stringify({
      name: textOf(getOwn(exception, "name")) ?? "Error",
      message: textOf(getOwn(exception, "message")) ?? "",
      ...(traceback === undefined ? {} : { detail: traceback }),
    }),
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
