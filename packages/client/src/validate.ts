// The checks that options and arguments share. Each returns the value or throws a UsageError that names what was wrong.

import { inspect } from "node:util";
import { UsageError } from "@pigato/protocol";

/** The longest duration that any option takes: about 24 days. */
const MAX_DURATION_MS = 2_147_483_647;

export function readDurationMs(name: string, value: unknown, least: number, most: number = MAX_DURATION_MS): number {
  if (typeof value === "number" && value >= least && value <= most) return value;
  throw wrong(name, `a number of milliseconds from ${least} to ${most}`, value);
}

/** A timeout as users write it: −1, as on the wire, and `Infinity` are none. */
export function readTimeoutMs(name: string, value: unknown): number {
  if (value === -1 || value === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (typeof value === "number" && value >= 0 && value <= MAX_DURATION_MS) return value;
  throw wrong(name, `a number of milliseconds from 0 to ${MAX_DURATION_MS}, or -1 for none`, value);
}

export function readCount(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw wrong(name, `an integer from ${least} to ${most}`, value);
}

/** A switch as users write it: a boolean, or 0 or 1 as on the wire. */
export function readFlag(name: string, value: unknown): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  throw wrong(name, "true, false, 0 or 1", value);
}

export function rejectUnknownKeys(what: string, input: object, known: ReadonlySet<string>): void {
  for (const key of Object.keys(input)) {
    if (!known.has(key)) {
      throw new UsageError(`${what} have no ${shown(key)}; they are ${[...known].sort().join(", ")}`);
    }
  }
}

export function wrong(name: string, expected: string, value: unknown): UsageError {
  return new UsageError(`${name} must be ${expected}, not ${shown(value)}`);
}

function shown(value: unknown): string {
  return inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY, maxStringLength: 100, maxArrayLength: 5 });
}
