// The ZAP handler of this process: libzmq asks it over inproc whether a peer may come in. It is here as long as a socket
// has a domain that it answers for, so it is bound before the first of them is and closed after the last one.
//
// It belongs to the process and not to a broker, because libzmq knows one address for all; hence the only variable of a
// module here. Whoever else serves that address, another copy of this package included, keeps ours from it, and what
// needs it does not start.

import { type Alarm, systemClock } from "../clock.ts";
import { type Frames, LinkError } from "../link.ts";
import type { Applicant } from "../security/applicant.ts";
import type { ServerSecurity } from "../security/security.ts";
import { surface } from "../surface.ts";
import { type Denial, type DeskEffect, type Verdict, ZapDesk } from "../zap/desk.ts";
import { ZapSocket } from "./zap-socket.ts";

/** Told who was not let in, and why. */
export type DenialListener = (applicant: Applicant, denial: Denial) => void;

interface Guard {
  readonly security: ServerSecurity;
  /** Of each socket with this domain. The first is told. */
  readonly listeners: Set<DenialListener>;
}

class ZapHandler {
  readonly #desk = new ZapDesk();
  readonly #guards = new Map<string, Guard>();
  readonly #alarm: Alarm = systemClock.alarm(() => this.#perform(this.#desk.onTick(systemClock.now())));
  #socket: ZapSocket | undefined;

  /**
   * Answers for a domain from now on.
   * @throws LinkError `ADDRESS_IN_USE` if somebody else answers for it, or for all
   */
  enter(security: ServerSecurity, listener: DenialListener): void {
    const { check, mechanism } = security;
    if (check === undefined) return;
    const name = check.domain;
    const guard = this.#guards.get(name);
    if (guard?.security === security) {
      guard.listeners.add(listener);
      return;
    }
    if (guard !== undefined || !this.#desk.open({ name, mechanism, timeoutMs: check.timeoutMs })) {
      throw new LinkError("ADDRESS_IN_USE", `the ZAP domain ${JSON.stringify(name)} is in use in this process`);
    }
    try {
      this.#socket ??= new ZapSocket((frames) => this.#onMessage(frames));
    } catch (error) {
      this.#desk.close(name);
      throw error;
    }
    this.#guards.set(name, { security, listeners: new Set([listener]) });
  }

  /** Answers for it no more, once all its sockets have left. */
  leave({ check }: ServerSecurity, listener: DenialListener): void {
    const guard = check && this.#guards.get(check.domain);
    if (check === undefined || guard === undefined || !guard.listeners.delete(listener)) return;
    if (guard.listeners.size > 0) return;
    this.#guards.delete(check.domain);
    this.#desk.close(check.domain);
    this.#alarm.set(this.#desk.nextDeadline());
    if (this.#guards.size > 0) return;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #onMessage(frames: Frames): void {
    this.#perform(this.#desk.onRequest(frames, systemClock.now()));
  }

  #perform(effects: readonly DeskEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "reply":
          this.#socket?.send(effect.frames);
          break;
        case "ask":
          void this.#ask(effect.domain, effect.number, effect.applicant);
          break;
        case "kept-out":
          this.#tell(effect.domain, effect.applicant, effect.denial);
          break;
        default:
          effect satisfies never;
      }
    }
    this.#alarm.set(this.#desk.nextDeadline());
  }

  async #ask(domain: string, number: number, applicant: Applicant): Promise<void> {
    const verdict = await this.#verdict(domain, applicant);
    this.#perform(this.#desk.onVerdict(domain, number, verdict));
  }

  async #verdict(domain: string, applicant: Applicant): Promise<Verdict> {
    try {
      const word: unknown = await this.#guards.get(domain)?.security.check?.authenticate(applicant);
      if (typeof word === "boolean") return { type: word ? "in" : "out" };
      // Say, of a function that lacks its `return`.
      return { type: "failed", cause: new TypeError("authenticate answered neither true nor false") };
    } catch (cause) {
      return { type: "failed", cause };
    }
  }

  #tell(domain: string, applicant: Applicant, denial: Denial): void {
    const [listener] = this.#guards.get(domain)?.listeners ?? [];
    try {
      listener?.(applicant, denial);
    } catch (error) {
      surface(error);
    }
  }
}

export const zapHandler: ZapHandler = new ZapHandler();
