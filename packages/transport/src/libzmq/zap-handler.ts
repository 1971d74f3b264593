// The ZAP handler of this process. libzmq asks it over inproc whether a peer is authorized. It exists while a socket has a domain
// to authenticate for: it is bound before the first such socket is and closes after the last one.
//
// It belongs to the process and not to a broker, because libzmq knows one address for all. Hence the only module-level variable
// here. If other code serves that address, another copy of this package included, a link that needs the handler does not start.

import { type Alarm, systemClock } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import { type Frames, LinkError } from "../link.ts";
import type { AuthRequest } from "../security/auth-request.ts";
import type { ServerSecurity } from "../security/link-security.ts";
import { type Denial, verdictOf, ZapAuthenticator, type ZapEffect } from "../zap/authenticator.ts";
import { readZapRequest, writeZapReply, type ZapTicket } from "../zap/messages.ts";
import { ZapSocket } from "./zap-socket.ts";

/** Receives every peer that was not authorized. */
export type DenialListener = (request: AuthRequest, denial: Denial) => void;

interface DomainEntry {
  readonly security: ServerSecurity;
  /** One for each socket with this domain. The first receives the reports. */
  readonly listeners: Set<DenialListener>;
}

class ZapHandler {
  readonly #authenticator = new ZapAuthenticator<ZapTicket>();
  readonly #domains = new Map<string, DomainEntry>();
  readonly #alarm: Alarm = systemClock.alarm(() => this.#perform(this.#authenticator.onTick(systemClock.now())));
  #socket: ZapSocket | undefined;

  /**
   * Starts to authenticate for a domain.
   * @throws LinkError `ADDRESS_IN_USE` if the domain, or the handler's address, is in use
   */
  add(security: ServerSecurity, listener: DenialListener): void {
    const { authentication, mechanism } = security;
    if (authentication === undefined) return;
    const name = authentication.domain;
    const entry = this.#domains.get(name);
    if (entry?.security === security) {
      entry.listeners.add(listener);
      return;
    }
    const { timeoutMs } = authentication;
    if (entry !== undefined || !this.#authenticator.open({ name, mechanism, timeoutMs })) {
      throw new LinkError("ADDRESS_IN_USE", `the ZAP domain ${JSON.stringify(name)} is in use in this process`);
    }
    try {
      this.#socket ??= new ZapSocket((frames) => this.#onMessage(frames));
    } catch (error) {
      this.#authenticator.close(name);
      throw error;
    }
    this.#domains.set(name, { security, listeners: new Set([listener]) });
  }

  /** Stops to authenticate for a domain once its last socket has been removed. */
  remove({ authentication }: ServerSecurity, listener: DenialListener): void {
    const entry = authentication && this.#domains.get(authentication.domain);
    if (authentication === undefined || entry === undefined || !entry.listeners.delete(listener)) return;
    if (entry.listeners.size > 0) return;
    this.#domains.delete(authentication.domain);
    this.#authenticator.close(authentication.domain);
    this.#alarm.set(this.#authenticator.nextDeadline());
    if (this.#domains.size > 0) return;
    this.#socket?.close();
    this.#socket = undefined;
  }

  #onMessage(frames: Frames): void {
    const message = readZapRequest(frames);
    switch (message.type) {
      case "unreadable":
        return;
      case "malformed":
        return this.#socket?.send(writeZapReply(message.ticket, "500"));
      case "request":
        return this.#perform(this.#authenticator.onRequest(message.ticket, message.request, systemClock.now()));
      default:
        message satisfies never;
    }
  }

  #perform(effects: readonly ZapEffect<ZapTicket>[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case "answer":
          this.#socket?.send(writeZapReply(effect.ticket, effect.status, effect.request));
          if (effect.denial !== undefined) this.#report(effect.request, effect.denial);
          break;
        case "authenticate":
          void this.#authenticate(effect.number, effect.request);
          break;
        default:
          effect satisfies never;
      }
    }
    this.#alarm.set(this.#authenticator.nextDeadline());
  }

  async #authenticate(number: number, request: AuthRequest): Promise<void> {
    const authentication = this.#domains.get(request.domain)?.security.authentication;
    if (authentication === undefined) return;
    const verdict = await verdictOf(authentication, request);
    this.#perform(this.#authenticator.onVerdict(request.domain, number, verdict));
  }

  #report(request: AuthRequest, denial: Denial): void {
    const [listener] = this.#domains.get(request.domain)?.listeners ?? [];
    callHandler(() => listener?.(request, denial));
  }
}

export const zapHandler: ZapHandler = new ZapHandler();
