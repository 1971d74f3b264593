// The bodies of replies where they differ from plain JSON: chunks, which must be values, and errors of handlers, which
// always reach the caller.

import { encodePayload, type Frame, NULL_FRAME, readText, UsageError } from "@pigato/protocol";
import { handlerErrorOf } from "@pigato/protocol/internal";

/**
 * A partial reply. Streams of values end at null, and the original's client fails on a partial null.
 * @throws UsageError for null, for what is null in JSON, and for what JSON cannot carry
 */
export function encodeChunk(chunk: unknown): Frame {
  const body = encodePayload(chunk, NULL_FRAME);
  if (body.length === NULL_FRAME.length && readText(body) === "null") {
    throw new UsageError("a partial reply cannot be null, as undefined, NaN and functions are in JSON, too");
  }
  return body;
}

/** The body of a handler's error; a general one if JSON cannot represent the error. */
export function errorBody(error: unknown): Frame {
  try {
    return encodePayload(handlerErrorOf(error), NULL_FRAME);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown";
    const message = `the handler failed with an error that cannot be sent: ${reason}`;
    return encodePayload({ name: "Error", message }, NULL_FRAME);
  }
}
