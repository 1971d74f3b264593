// The bodies of replies that differ from plain JSON: chunks, which must be values, and errors of handlers, which must always
// reach the caller.

import { encodePayload, type Frame, NULL_FRAME, readText, UsageError } from "@pigato/protocol";
import { type HandlerErrorOptions, handlerErrorOf, reasonOf } from "@pigato/protocol/internal";

export const NO_CHUNK = "a partial reply cannot be null, as undefined, NaN and functions are in JSON, too";

/**
 * A partial. Streams of values end at null, and the original's client fails on a null partial.
 * @throws UsageError for null, for values that JSON writes as null, and for values that JSON cannot represent
 */
export function encodeChunk(chunk: unknown, encode: typeof encodePayload): Frame {
  const body = encode(chunk, NULL_FRAME);
  if (body.length === NULL_FRAME.length && readText(body) === "null") {
    throw new UsageError(NO_CHUNK);
  }
  return body;
}

/** @throws UsageError for an error that JSON cannot carry */
export function encodeError(error: unknown, options: HandlerErrorOptions): Frame {
  return encodePayload(handlerErrorOf(error, options), NULL_FRAME);
}

/** The body of a handler's error, or of a general error if JSON cannot represent it. */
export function errorBody(error: unknown, options: HandlerErrorOptions): Frame {
  try {
    return encodeError(error, options);
  } catch (cause) {
    const message = `the handler failed with an error that cannot be sent: ${reasonOf(cause)}`;
    return encodePayload({ name: "Error", message }, NULL_FRAME);
  }
}
