// Decides about each request of ZAP: whom to ask, what to answer, and when. It asks, answers and counts time by its effects
// alone; the shell in libzmq/zap.ts does it.
//
// What always holds: every request that can be answered is answered once; nobody is let in (200) but by the word of his
// domain's check, given in time, about just what he showed; and of the checks of a domain at most so many run at once.
// A check that never ends counts as running for ever.

import type { Applicant, Mechanism } from "../security/applicant.ts";
import { readZapRequest, writeZapReply, type ZapStatus, type ZapTicket } from "./messages.ts";

type Frames = readonly Uint8Array[];

/** Checks of one domain that may run at once; above, peers are told to come back later. */
export const MAX_RUNNING_CHECKS = 1000;

export interface Domain {
  readonly name: string;
  /** What its sockets ask for; whoever shows something else is kept out. */
  readonly mechanism: Mechanism;
  readonly timeoutMs: number;
}

/** What a check came to. */
export type Verdict = { readonly type: "in" | "out" } | { readonly type: "failed"; readonly cause: unknown };

/** Why somebody was not let in. */
export type Denial =
  | { readonly type: "denied" | "late" | "too-many" | "other-mechanism" }
  | { readonly type: "failed"; readonly cause: unknown };

export type DeskEffect =
  | { readonly type: "reply"; readonly frames: Frames }
  /** Its domain's check is to decide, and its verdict to be told under this number. */
  | { readonly type: "ask"; readonly number: number; readonly domain: string; readonly applicant: Applicant }
  | { readonly type: "kept-out"; readonly domain: string; readonly applicant: Applicant; readonly denial: Denial };

interface Case {
  readonly ticket: ZapTicket;
  readonly applicant: Applicant;
  readonly deadline: number;
}

interface Entry {
  readonly domain: Domain;
  /** Who waits for an answer, the oldest first. */
  readonly open: Map<number, Case>;
  /** The numbers of checks that have not ended, answered or not. */
  readonly running: Set<number>;
}

export class ZapDesk {
  readonly #entries = new Map<string, Entry>();
  #count = 0;

  get size(): number {
    return this.#entries.size;
  }

  /** @returns whether nobody else has a domain of this name */
  open(domain: Domain): boolean {
    if (this.#entries.has(domain.name)) return false;
    this.#entries.set(domain.name, { domain, open: new Map(), running: new Set() });
    return true;
  }

  /** From now on its name is unknown; who waits for an answer gets none. */
  close(name: string): void {
    this.#entries.delete(name);
  }

  onRequest(frames: Frames, now: number): readonly DeskEffect[] {
    const request = readZapRequest(frames);
    switch (request.type) {
      case "unreadable":
        return [];
      case "malformed":
        return [reply(request.ticket, "500")];
      case "request":
        return this.#onApplicant(request.ticket, request.applicant, now);
      default:
        return request satisfies never;
    }
  }

  onVerdict(name: string, number: number, verdict: Verdict): readonly DeskEffect[] {
    const entry = this.#entries.get(name);
    if (!entry?.running.delete(number)) return [];
    const found = entry.open.get(number);
    if (found === undefined) return [];
    entry.open.delete(number);
    switch (verdict.type) {
      case "in":
        return [reply(found.ticket, "200", found.applicant)];
      case "out":
        return keepOut(found.ticket, found.applicant, "400", { type: "denied" });
      case "failed":
        return keepOut(found.ticket, found.applicant, "500", verdict);
      default:
        return verdict satisfies never;
    }
  }

  onTick(now: number): readonly DeskEffect[] {
    const effects: DeskEffect[] = [];
    for (const { open } of this.#entries.values()) {
      for (const [number, { ticket, applicant, deadline }] of open) {
        if (deadline > now) break;
        open.delete(number);
        effects.push(...keepOut(ticket, applicant, "500", { type: "late" }));
      }
    }
    return effects;
  }

  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { open } of this.#entries.values()) {
      for (const { deadline } of open.values()) {
        next = Math.min(next ?? deadline, deadline);
        break;
      }
    }
    return next;
  }

  #onApplicant(ticket: ZapTicket, applicant: Applicant, now: number): readonly DeskEffect[] {
    const entry = this.#entries.get(applicant.domain);
    if (entry === undefined) return [reply(ticket, "400")];
    const { domain, open, running } = entry;
    if (applicant.mechanism !== domain.mechanism) {
      return keepOut(ticket, applicant, "400", { type: "other-mechanism" });
    }
    if (running.size >= MAX_RUNNING_CHECKS) return keepOut(ticket, applicant, "300", { type: "too-many" });
    this.#count += 1;
    const number = this.#count;
    open.set(number, { ticket, applicant, deadline: now + domain.timeoutMs });
    running.add(number);
    return [{ type: "ask", number, domain: domain.name, applicant }];
  }
}

function keepOut(ticket: ZapTicket, applicant: Applicant, status: ZapStatus, denial: Denial): readonly DeskEffect[] {
  return [reply(ticket, status), { type: "kept-out", domain: applicant.domain, applicant, denial }];
}

function reply(ticket: ZapTicket, status: ZapStatus, applicant?: Applicant): DeskEffect {
  return { type: "reply", frames: writeZapReply(ticket, status, applicant) };
}
