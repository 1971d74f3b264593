// Which method a request calls, and with what: from its options, as our clients send it, or from its body, as butler's clients do and
// any client can: `{"method":"resize","args":["a.jpg"],"kwargs":{}}`.

import { NOT_JSON } from "@pigato/protocol";
import { getOwn, MALFORMED } from "@pigato/protocol/internal";
import type { WorkerRequest } from "@pigato/worker/internal";

/** A call of a method. */
export interface CallForm {
  readonly method: string;
  /** Whether `data` is the array of the arguments, instead of the one argument. */
  readonly hasArgs: boolean;
  readonly data: unknown;
}

/** Why a request is no call of a method. */
export interface Flaw {
  readonly code: "INVALID_ARGUMENT" | "UNIMPLEMENTED";
  readonly reason: string;
}

const UNREADABLE: Flaw = { code: "INVALID_ARGUMENT", reason: "its data is not in the codec that it names" };
const NO_ARRAY: Flaw = { code: "INVALID_ARGUMENT", reason: "its arguments are not an array" };
const NO_METHOD: Flaw = { code: "UNIMPLEMENTED", reason: "it names no method" };
const BAD_METHOD: Flaw = { code: "INVALID_ARGUMENT", reason: "the method in its body is not text" };

/** @param data the decoded body; `NOT_JSON` or `MALFORMED` if it is not in its codec */
export function readCall({ method, hasArgs = false, flaw }: WorkerRequest["options"], data: unknown): CallForm | Flaw {
  if (data === NOT_JSON || data === MALFORMED) return UNREADABLE;
  if (flaw !== undefined) return { code: "INVALID_ARGUMENT", reason: flaw };
  if (method === undefined || isBodyForm(method, data)) return readBody(data);
  if (hasArgs && !Array.isArray(data)) return NO_ARRAY;
  return { method, hasArgs, data };
}

/** P-CALL-2: on a connection without `methods` the call is in the body, while the options still name the method. */
function isBodyForm(method: string, data: unknown): boolean {
  if (typeof data !== "object" || data === null || Object.keys(data).length !== 3) return false;
  const kwargs = getOwn(data, "kwargs");
  return getOwn(data, "method") === method && Array.isArray(getOwn(data, "args")) && typeof kwargs === "object";
}

/** A call in the form of butler. Its `kwargs` become a trailing object. */
function readBody(data: unknown): CallForm | Flaw {
  const method = getOwn(data, "method");
  if (method === undefined) return NO_METHOD;
  if (typeof method !== "string") return BAD_METHOD;
  const args = getOwn(data, "args") ?? [];
  if (!Array.isArray(args)) return NO_ARRAY;
  const kwargs = getOwn(data, "kwargs");
  const isEmpty = typeof kwargs !== "object" || kwargs === null || Object.keys(kwargs).length === 0;
  return { method, hasArgs: true, data: isEmpty ? args : [...args, kwargs] };
}

/** The arguments of a call, for a function. */
export function argumentsOf({ hasArgs, data }: CallForm): readonly unknown[] {
  if (hasArgs) return Array.isArray(data) ? data : [];
  return data === undefined ? [] : [data];
}

/** The one argument of a call, for a method of a contract. */
export function inputOf({ hasArgs, data }: CallForm): unknown {
  return hasArgs && Array.isArray(data) ? data[0] : data;
}

export function isFlaw(form: CallForm | Flaw): form is Flaw {
  return "code" in form;
}
