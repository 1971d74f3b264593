// Contains failures of user code: its exception is reported as uncaught and affects nothing else.

import { queueMicrotask } from "@pigato/transport";

/** Where a broker or a peer logs: `console`, a pino logger, or any object with these methods. An error is the field `err`. */
export interface Logger {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** Discards every record. */
export function newSilentLogger(): Logger {
  return { debug() {}, info() {}, warn() {}, error() {} };
}

/** Throws `error` as an uncaught exception, outside of the current call. */
export function throwAsync(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/**
 * Calls user code. An exception becomes an uncaught exception and does not reach the caller.
 * @returns the result; `undefined` if the code threw
 */
export function guarded<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    throwAsync(error);
    return undefined;
  }
}

/** The same logger, whose exceptions do not reach the code that logs. */
export function guardedLogger(logger: Logger): Logger {
  return {
    debug: (fields, text) => guarded(() => logger.debug(fields, text)),
    info: (fields, text) => guarded(() => logger.info(fields, text)),
    warn: (fields, text) => guarded(() => logger.warn(fields, text)),
    error: (fields, text) => guarded(() => logger.error(fields, text)),
  };
}

/** The same source of random numbers, with 0.5 in place of an exception and of anything but a number from 0 up to 1. */
export function guardedRandom(random: () => number): () => number {
  return () => {
    const number: unknown = guarded(random);
    return typeof number === "number" && number >= 0 && number < 1 ? number : 0.5;
  };
}
