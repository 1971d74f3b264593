// The metadata of a request besides its data and options: headers, deadline, caller and attempt.

import { decodePayload, display, UsageError } from "@pigato/protocol";
import type { HeaderFields } from "@pigato/protocol/internal";
import { hasControlCharacter, headersIn, type Instant, MAX_HEADERS_BYTES } from "@pigato/protocol/internal";
import { type Clock, wallClock } from "@pigato/transport";
import type { WorkerRequest } from "./session/effects.ts";

const NO_HEADERS: HeaderFields = Object.freeze({});

export class RequestInfo {
  /** The headers that the client sent; names are in lower case. */
  readonly headers: HeaderFields;
  /** When the client gives the request up at the latest; `undefined` if it set no deadline. */
  readonly deadline: Date | undefined;
  /**
   * The identity of the client, if the broker authenticated its connection and knows it: its user name with PLAIN over the transport "zmtp". `undefined`
   * without authentication, and over libzmq, which does not report it.
   */
  readonly caller: string | undefined;
  /** How often the broker has dispatched the request, this time included. */
  readonly attempt: number;
  readonly #deadlineMs: number;
  readonly #arrivedAt: Instant;
  readonly #clock: Clock | undefined;

  /** @param request the request, if it has any of these facts */
  constructor(headers: HeaderFields, request?: WorkerRequest, clock?: Clock) {
    const { deadlineMs, caller, attempt = 1 } = request ?? {};
    this.headers = headers;
    this.deadline = deadlineMs === undefined ? undefined : new Date(wallClock() + deadlineMs);
    this.caller = caller === undefined ? undefined : display(caller);
    this.attempt = attempt;
    this.#clock = clock;
    this.#deadlineMs = deadlineMs ?? Number.POSITIVE_INFINITY;
    this.#arrivedAt = clock?.now() ?? 0;
  }

  /** Milliseconds until the deadline, 0 after it; `Infinity` if there is none. */
  timeLeft(): number {
    if (this.#clock === undefined) return this.#deadlineMs;
    // In this order, rounding never adds to the time that came with the request.
    return Math.max(0, this.#deadlineMs - (this.#clock.now() - this.#arrivedAt));
  }
}

/** Shared by all requests without headers, deadline, caller and attempt, which most are. */
export const NO_INFO: RequestInfo = new RequestInfo(NO_HEADERS);
Object.freeze(NO_INFO);

/**
 * The metadata of a request, read when it arrives.
 * @throws UsageError for headers of another form (P-TAG-3)
 */
export function infoOf(request: WorkerRequest, clock: Clock): RequestInfo {
  const { hasHeaders, deadlineMs, caller, attempt, options } = request;
  const isTagged = hasHeaders === true || deadlineMs !== undefined || caller !== undefined || attempt !== undefined;
  if (!isTagged && options.headers === undefined) return NO_INFO;
  const headers = hasHeaders === true ? readHeaders(request) : headersInOptions(options.headers);
  return new RequestInfo(headers, request, clock);
}

function readHeaders({ trailer }: WorkerRequest): HeaderFields {
  const [, frame] = trailer;
  const json = frame && headersIn(frame);
  const headers = json === undefined || json.length > MAX_HEADERS_BYTES ? undefined : asHeaders(decodePayload(json));
  if (headers === undefined) throw new UsageError("its headers are no object of strings");
  if (areClean(headers)) return headers;
  throw new UsageError("its headers have a name or a value with control characters, or without a name");
}

/** P-TAG-3: anything of another form is an option of a client that knows no headers. */
function headersInOptions(value: unknown): HeaderFields {
  const headers = asHeaders(value);
  if (headers === undefined || !areClean(headers)) return NO_HEADERS;
  const length = Object.entries(headers).reduce((sum, [name, text]) => sum + name.length + text.length, 0);
  return length > MAX_HEADERS_BYTES ? NO_HEADERS : headers;
}

/** A control character could end a line of a log, or of another protocol. */
function areClean(headers: HeaderFields): boolean {
  return Object.entries(headers).every(
    ([name, text]) => name !== "" && !hasControlCharacter(name) && !hasControlCharacter(text),
  );
}

function asHeaders(value: unknown): HeaderFields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const headers: [string, string][] = [];
  for (const [name, text] of Object.entries(value)) {
    if (typeof text !== "string") return undefined;
    headers.push([name.toLowerCase(), text]);
  }
  // Defines own properties, whatever their names.
  return Object.freeze(Object.fromEntries(headers));
}
