// A logger with fields that all its records have.

import type { Logger } from "@pigato/peer";

const METHODS = ["debug", "info", "warn", "error"] as const;

/** The child of a logger that has children, as that of pino has. Any other logger gets the fields with each record. */
export function childLogger(logger: Logger, bindings: object): Logger {
  const newChild: unknown = Reflect.get(logger, "child");
  if (typeof newChild === "function") {
    const child: unknown = Reflect.apply(newChild, logger, [bindings]);
    if (isLogger(child)) return child;
  }
  return {
    debug: (fields, text) => logger.debug({ ...bindings, ...fields }, text),
    info: (fields, text) => logger.info({ ...bindings, ...fields }, text),
    warn: (fields, text) => logger.warn({ ...bindings, ...fields }, text),
    error: (fields, text) => logger.error({ ...bindings, ...fields }, text),
  };
}

function isLogger(value: unknown): value is Logger {
  if (typeof value !== "object" || value === null) return false;
  return METHODS.every((method) => typeof Reflect.get(value, method) === "function");
}
