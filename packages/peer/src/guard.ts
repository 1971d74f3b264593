// How code that is not ours may fail: its exception is reported as uncaught and disturbs nothing else.

/** Throws `error` as an uncaught exception, outside of the present call. */
export function throwAsync(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * Calls user code. An exception becomes an uncaught exception and does not reach the caller.
 * @returns what the code returned; `undefined` if it threw
 */
export function guarded<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    throwAsync(error);
    return undefined;
  }
}
