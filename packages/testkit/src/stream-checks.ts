// Checks the order of the events of a stream, readable or writable.

import { type CheckFailure, invariant } from "./invariants.ts";

/** Anything that emits events: a stream's prototype. */
interface Emitter {
  emit(event: string | symbol, ...values: unknown[]): boolean;
}

/** Checks every event of all streams of this class from now on. */
export function watchStreams(prototype: Emitter, failure: CheckFailure): void {
  const streams = new WeakMap<object, Set<string>>();
  const { emit } = prototype;
  prototype.emit = function emitChecked(event, ...values) {
    const seen = streams.get(this) ?? new Set<string>();
    streams.set(this, seen);
    if (typeof event === "string") failure.collect(() => checkEvent(event, seen));
    return emit.call(this, event, ...values);
  };
}

/** A stream ends or fails, at most once, and then closes. */
function checkEvent(event: string, seen: Set<string>): void {
  const earlier = [...seen].join(", ");
  const isOver = seen.has("end") || seen.has("finish") || seen.has("error") || seen.has("close");
  switch (event) {
    case "drain":
      // A handler that writes after the loss of its request, and waits, must continue to its end.
      invariant(!seen.has("finish"), `a stream emits drain after ${earlier}`);
      break;
    case "data":
    case "end":
    case "finish":
      invariant(!isOver, `a stream emits ${event} after ${earlier}`);
      break;
    case "error":
      invariant(!seen.has("error") && !seen.has("close"), `a stream emits an error after ${earlier}`);
      break;
    case "close":
      invariant(!seen.has("close"), "a stream closes twice");
      break;
    default:
      return;
  }
  seen.add(event);
}
