/**
 * Makes what a handler threw an uncaught exception: our caller broke its own invariant, and neither may that pass in
 * silence nor may it end the loop that called the handler.
 */
export function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
