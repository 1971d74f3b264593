// Authenticates the peers of a link over our own ZMTP. It calls the same code as libzmq's ZAP handler, without ZAP messages.

import { type Alarm, systemClock } from "../clock.ts";
import type { Authentication, Credentials, Mechanism } from "../security/auth-request.ts";
import type { ServerSecurity } from "../security/link-security.ts";
import {
  type DenialReport,
  reportDenial,
  verdictOf,
  ZapAuthenticator,
  type ZapEffect,
  type ZapStatus,
} from "../zap/authenticator.ts";

/** Called once. @param denial why the peer is not authorized */
export type OnAuthenticated = (status: ZapStatus, denial: DenialReport | undefined) => void;

export class LinkAuthenticator {
  readonly #authentication: Authentication;
  readonly #zap = new ZapAuthenticator<OnAuthenticated>();
  readonly #alarm: Alarm = systemClock.alarm(() => this.#perform(this.#zap.onTick(systemClock.now())));

  constructor(mechanism: Mechanism, authentication: Authentication) {
    this.#authentication = authentication;
    const { domain, timeoutMs } = authentication;
    this.#zap.open({ name: domain, mechanism, timeoutMs });
  }

  /** @param address where the peer comes from, without a port */
  authenticate(credentials: Credentials, address: string, onAuthenticated: OnAuthenticated): void {
    const request = { ...credentials, domain: this.#authentication.domain, address };
    this.#perform(this.#zap.onRequest(onAuthenticated, request, systemClock.now()));
  }

  /** Answers no more requests. */
  close(): void {
    this.#zap.close(this.#authentication.domain);
    this.#alarm.set(undefined);
  }

  #perform(effects: readonly ZapEffect<OnAuthenticated>[]): void {
    for (const effect of effects) {
      if (effect.type === "authenticate") void this.#call(effect);
      else effect.ticket(effect.status, effect.denial && reportDenial(effect.request, effect.denial));
    }
    this.#alarm.set(this.#zap.nextDeadline());
  }

  async #call({ number, request }: Extract<ZapEffect<OnAuthenticated>, { type: "authenticate" }>): Promise<void> {
    const verdict = await verdictOf(this.#authentication, request);
    this.#perform(this.#zap.onVerdict(request.domain, number, verdict));
  }
}

/** The authenticator that a listener's security requires. */
export function authenticatorOf(security: ServerSecurity | undefined): LinkAuthenticator | undefined {
  return security?.authentication && new LinkAuthenticator(security.mechanism, security.authentication);
}
