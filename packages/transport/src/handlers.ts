// Calls into the code of a link's owner, which may throw. Every handler of a link is called through here, except onMessage of the
// hot path, which has a try of its own and needs no closure.

import { queueMicrotask } from "./timers.ts";

/**
 * Rethrows as an uncaught exception. A handler that throws broke its owner's invariant: that must be visible, and must not
 * end the loop that called the handler.
 */
export function throwAsync(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Calls a handler. An exception becomes an uncaught exception. */
export function callHandler(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    throwAsync(error);
  }
}
