// Errors as classic code expects them: a request fails with `C_TIMEOUT`, with the worker's own value, or with the code of the
// failure as text; a protocol violation is an `error` event with one word.

import type { EventEmitter } from "node:events";
import type { RequestError, UsageError } from "@pigato/client";
import { guarded } from "@pigato/peer";

/** The error of a failed request, for its callback or the stream's `error` event. Never a value that means success. */
export function errorValue(error: RequestError | UsageError): unknown {
  switch (error.code) {
    case "DEADLINE_EXCEEDED":
      return "C_TIMEOUT";
    case "WORKER_FAILED":
      return error.detail || error.code;
    default:
      return error.code;
  }
}

/** The clauses of docs/reference/protocol.md for which classic code has a word. */
const CLIENT_WORDS: ReadonlyMap<unknown, string> = new Map([
  ["P-MSG-1", "ERR_MSG_HEADER"],
  ["P-TYPE-1", "ERR_MSG_TYPE"],
  ["P-RID-1", "ERR_MSG_LENGTH"],
  ["P-RID-2", "ERR_REQ_INVALID"],
]);

const WORKER_WORDS: ReadonlyMap<unknown, string> = new Map([
  ["P-MSG-1", "ERR_MSG_HEADER"],
  ["P-TYPE-1", "ERR_MSG_TYPE_INVALID"],
  ["P-DSP-1", "ERR_MSG_LENGTH"],
]);

const BROKER_WORDS: ReadonlyMap<unknown, string> = new Map([["P-MSG-1", "ERR_MSG_HEADER"]]);

/** The word for an error of a client; the error itself if there is none. */
export function clientErrorEvent(error: Error): string | Error {
  return CLIENT_WORDS.get(clauseOf(error.cause)) ?? error;
}

/** The same for a worker. */
export function workerErrorEvent(error: Error): string | Error {
  return WORKER_WORDS.get(clauseOf(error.cause)) ?? error;
}

/** The same for a broker, by the clause that a peer violated; most clauses have no word. */
export function brokerErrorEvent(clause: string): string | undefined {
  return BROKER_WORDS.get(clause);
}

/**
 * Emits `error`, if it has a listener: a peer's message must not end the process.
 * @param onUnheard called without a listener
 */
export function emitError(
  emitter: Pick<EventEmitter, "emit" | "listenerCount">,
  error: Error | string,
  onUnheard: () => void,
): void {
  if (emitter.listenerCount("error") > 0) guarded(() => emitter.emit("error", error));
  else onUnheard();
}

function clauseOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null ? Reflect.get(cause, "clause") : undefined;
}
