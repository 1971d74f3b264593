// A logger with fields that all its records have. It takes what pino takes: fields and a text, fields alone, or a text alone.

import type { Logger } from "@pigato/peer";
import { isError } from "@pigato/protocol/internal";

const METHODS = ["debug", "info", "warn", "error"] as const;

/** Writes a record: a text, or fields and a text. An error in place of the fields is the field `err`. */
export interface LogMethod {
  (text: string): void;
  (fields: object, text?: string): void;
}

/** The logger of one request. */
export type RequestLogger = Readonly<Record<(typeof METHODS)[number], LogMethod>>;

/** The child of a logger that has children, as that of pino has. Any other logger gets the fields with each record. */
export function childLogger(logger: Logger, bindings: object): RequestLogger {
  const newChild: unknown = Reflect.get(logger, "child");
  if (typeof newChild === "function") {
    const child: unknown = Reflect.apply(newChild, logger, [bindings]);
    if (isLogger(child)) return child;
  }
  const methodOf =
    (level: (typeof METHODS)[number]): LogMethod =>
    (fieldsOrText: object | string, text?: string) => {
      if (typeof fieldsOrText === "string") return logger[level]({ ...bindings }, fieldsOrText);
      if (!isError(fieldsOrText)) return logger[level]({ ...bindings, ...fieldsOrText }, text ?? "");
      logger[level]({ ...bindings, err: fieldsOrText }, text ?? fieldsOrText.message);
    };
  return { debug: methodOf("debug"), info: methodOf("info"), warn: methodOf("warn"), error: methodOf("error") };
}

function isLogger(value: unknown): value is RequestLogger {
  if (typeof value !== "object" || value === null) return false;
  return METHODS.every((method) => typeof Reflect.get(value, method) === "function");
}
