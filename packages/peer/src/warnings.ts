// Warnings of a client, a worker or a core service: what would go unnoticed otherwise. With a logger, each is a line of the level
// `warn`. Without one, it is a process warning of the type `PigatoWarning`, at most one per code and minute. `logger: false` turns
// both off. docs/reference/warnings.md lists the codes.

import { isError } from "@pigato/protocol/internal";
import { type Clock, systemClock } from "@pigato/transport";
import { guarded, guardedLogger, type Logger } from "./guard.ts";

export type WarningCode =
  | "PIGATO_NOT_CONNECTED"
  | "PIGATO_NOT_STARTED"
  | "PIGATO_NO_HANDLER"
  | "PIGATO_SEVERAL_HANDLERS"
  | "PIGATO_HANDLER_FAILED"
  | "PIGATO_CONNECTION_REJECTED"
  | "PIGATO_WRITE_AFTER_END"
  | "PIGATO_LAST_CHUNK"
  | "PIGATO_ERROR";

export interface Warnings {
  /** @param fields for the log; of `err`, a process warning shows the stack */
  warn(code: WarningCode, text: string, fields: WarningFields): void;
  /** Warns of an error that no listener received. */
  onUnheard(error: Error): void;
}

export interface WarningFields {
  readonly err?: unknown;
  readonly [name: string]: unknown;
}

const INTERVAL_MS = 60_000;

/** @param logger the option as given: without a logger, warnings go to the process */
export function warningsOf(logger: Logger | false | undefined, clock: Pick<Clock, "now"> = systemClock): Warnings {
  if (logger === false) return { warn() {}, onUnheard() {} };
  if (logger === undefined) return new ProcessWarnings(clock);
  const guardedOne = guardedLogger(logger);
  const warn: Warnings["warn"] = (code, text, fields) => guardedOne.warn({ code, ...fields }, text);
  return { warn, onUnheard: (err) => warn(codeOf(err), err.message, { err }) };
}

class ProcessWarnings implements Warnings {
  readonly #clock: Pick<Clock, "now">;
  /** The time of the last warning of a code, and how many were left out since. */
  readonly #last = new Map<WarningCode, { at: number; omitted: number }>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  warn(code: WarningCode, text: string, { err }: WarningFields): void {
    const last = this.#last.get(code);
    const now = guarded(() => this.#clock.now()) ?? 0;
    // A clock that throws or is no number must not lift the limit.
    if (last !== undefined && !(now >= last.at + INTERVAL_MS)) {
      last.omitted += 1;
      return;
    }
    this.#last.set(code, { at: now, omitted: 0 });
    const more = last !== undefined && last.omitted > 0 ? ` (and ${last.omitted} more before it)` : "";
    const detail = isError(err) ? err.stack : undefined;
    const options = { type: "PigatoWarning", code, ...(detail !== undefined && { detail }) };
    guarded(() => process.emitWarning(`${text}${more}`, options));
  }

  onUnheard(error: Error): void {
    const code = codeOf(error);
    // Its stack shows the line of the handler. The stacks of the others show only PIGATO.
    this.warn(code, error.message, code === "PIGATO_WRITE_AFTER_END" ? { err: error } : {});
  }
}

function codeOf(error: Error): WarningCode {
  const code: unknown = Reflect.get(error, "code");
  if (code === "REFUSED") return "PIGATO_CONNECTION_REJECTED";
  return code === "ERR_STREAM_WRITE_AFTER_END" ? "PIGATO_WRITE_AFTER_END" : "PIGATO_ERROR";
}
