// Authenticates peers by the rules of ZAP (RFC 27): it decides which domain's `authenticate` to call, which status to answer and
// when. Pure: it takes requests, verdicts and the time, and returns effects. Its users are libzmq/zap-handler.ts and
// zmtp/link-authenticator.ts.
//
// Invariants: a request gets one status, unless its domain closes first. It gets 200 only if its domain's `authenticate` returned
// true in time, for this very request. A domain runs a bounded number of calls. A call that has not settled a minute after its
// timeout no longer counts, because it may never settle.

import type { Authentication, AuthRequest, Mechanism } from "../security/auth-request.ts";

/** Calls of `authenticate` that one domain may run at once. Above, peers get status 300 and try again. */
export const MAX_RUNNING_CALLS = 1000;
/** Milliseconds after its timeout for which a call that has not settled counts. */
export const ABANDON_AFTER_MS = 60_000;

/** 200 authorized, 300 try again later, 400 denied, 500 undecided. */
export type ZapStatus = "200" | "300" | "400" | "500";

export interface Domain {
  readonly name: string;
  /** The mechanism of its listeners. Requests with another one are denied. */
  readonly mechanism: Mechanism;
  readonly timeoutMs: number;
}

/** How a call of `authenticate` ended. */
export type Verdict = { readonly type: "authorized" | "denied" } | { readonly type: "failed"; readonly cause: unknown };

/** Why a peer was not authorized. */
export type Denial =
  | { readonly type: "denied" | "timeout" | "too-many" | "other-mechanism" }
  | { readonly type: "failed"; readonly cause: unknown };

/** @typeParam Ticket whom to answer; it is passed through unread */
export type ZapEffect<Ticket> =
  | {
      readonly type: "answer";
      readonly ticket: Ticket;
      readonly status: ZapStatus;
      readonly request: AuthRequest;
      /** Missing for an authorized peer, and for a domain that does not exist. */
      readonly denial: Denial | undefined;
    }
  /** Call `authenticate` of the request's domain, and pass its verdict on under this number. */
  | { readonly type: "authenticate"; readonly number: number; readonly request: AuthRequest };

interface PendingRequest<Ticket> {
  readonly ticket: Ticket;
  readonly request: AuthRequest;
  readonly deadline: number;
}

interface DomainRecord<Ticket> {
  readonly domain: Domain;
  /** Requests without an answer, by number, oldest first. */
  readonly pending: Map<number, PendingRequest<Ticket>>;
  /** The calls that have not settled, answered or not: their numbers, oldest first, and when each is abandoned. */
  readonly running: Map<number, number>;
}

export class ZapAuthenticator<Ticket> {
  readonly #domains = new Map<string, DomainRecord<Ticket>>();
  #count = 0;

  /** @returns false if a domain of this name exists */
  open(domain: Domain): boolean {
    if (this.#domains.has(domain.name)) return false;
    this.#domains.set(domain.name, { domain, pending: new Map(), running: new Map() });
    return true;
  }

  /** Removes a domain. Its pending requests get no answer. */
  close(name: string): void {
    this.#domains.delete(name);
  }

  onRequest(ticket: Ticket, request: AuthRequest, now: number): readonly ZapEffect<Ticket>[] {
    const record = this.#domains.get(request.domain);
    if (record === undefined) return [{ type: "answer", ticket, status: "400", request, denial: undefined }];
    const { domain, pending, running } = record;
    if (request.mechanism !== domain.mechanism) return [deny(ticket, request, "400", { type: "other-mechanism" })];
    abandonCalls(running, now);
    if (running.size >= MAX_RUNNING_CALLS) return [deny(ticket, request, "300", { type: "too-many" })];
    this.#count += 1;
    const number = this.#count;
    pending.set(number, { ticket, request, deadline: now + domain.timeoutMs });
    running.set(number, now + domain.timeoutMs + ABANDON_AFTER_MS);
    return [{ type: "authenticate", number, request }];
  }

  onVerdict(domain: string, number: number, verdict: Verdict): readonly ZapEffect<Ticket>[] {
    const record = this.#domains.get(domain);
    if (!record?.running.delete(number)) return [];
    const found = record.pending.get(number);
    if (found === undefined) return [];
    record.pending.delete(number);
    const { ticket, request } = found;
    switch (verdict.type) {
      case "authorized":
        return [{ type: "answer", ticket, status: "200", request, denial: undefined }];
      case "denied":
        return [deny(ticket, request, "400", { type: "denied" })];
      case "failed":
        return [deny(ticket, request, "500", verdict)];
      default:
        return verdict satisfies never;
    }
  }

  onTick(now: number): readonly ZapEffect<Ticket>[] {
    const effects: ZapEffect<Ticket>[] = [];
    for (const { pending } of this.#domains.values()) {
      for (const [number, { ticket, request, deadline }] of pending) {
        if (deadline > now) break;
        pending.delete(number);
        effects.push(deny(ticket, request, "500", { type: "timeout" }));
      }
    }
    return effects;
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { pending } of this.#domains.values()) {
      for (const { deadline } of pending.values()) {
        next = Math.min(next ?? deadline, deadline);
        break;
      }
    }
    return next;
  }
}

function abandonCalls(running: Map<number, number>, now: number): void {
  for (const [number, abandonedAt] of running) {
    if (abandonedAt > now) return;
    running.delete(number);
  }
}

function deny<Ticket>(ticket: Ticket, request: AuthRequest, status: ZapStatus, denial: Denial): ZapEffect<Ticket> {
  return { type: "answer", ticket, status, request, denial };
}

/** Calls `authenticate`. Never rejects. */
export async function verdictOf(authentication: Authentication, request: AuthRequest): Promise<Verdict> {
  try {
    const isAuthorized: unknown = await authentication.authenticate(request);
    if (typeof isAuthorized === "boolean") return { type: isAuthorized ? "authorized" : "denied" };
    // For example, of a function that lacks its `return`.
    return { type: "failed", cause: new TypeError("authenticate returned neither true nor false") };
  } catch (cause) {
    return { type: "failed", cause };
  }
}

/** A denial as a link reports it. */
export interface DenialReport {
  readonly code: "DENIED" | "UNDECIDED" | "INCOMPATIBLE";
  readonly detail: string;
  readonly mechanism: Mechanism;
  readonly cause?: unknown;
}

export function reportDenial({ mechanism }: AuthRequest, denial: Denial): DenialReport {
  switch (denial.type) {
    case "denied":
      return { code: "DENIED", detail: "authenticate returned false", mechanism };
    case "other-mechanism":
      return { code: "INCOMPATIBLE", detail: `the listener does not accept mechanism ${mechanism}`, mechanism };
    case "timeout":
      return { code: "UNDECIDED", detail: "authenticate timed out", mechanism };
    case "too-many":
      return { code: "UNDECIDED", detail: `${MAX_RUNNING_CALLS} calls of authenticate are in progress`, mechanism };
    case "failed":
      return { code: "UNDECIDED", detail: "authenticate failed", mechanism, cause: denial.cause };
    default:
      return denial satisfies never;
  }
}

/** What a ZAP status means that the other end sent to reject this one; `undefined` for other text. */
export function rejectionOfStatus(status: string, mechanism: Mechanism): DenialReport | undefined {
  switch (status) {
    case "400":
      return { code: "DENIED", detail: `authentication rejected: mechanism ${mechanism}`, mechanism };
    case "300":
    case "500":
      return { code: "UNDECIDED", detail: `authentication failed at the other end: status ${status}`, mechanism };
    default:
      return undefined;
  }
}
