// A dealer that selects its transport by the address that it connects to. With security it uses libzmq. Messages sent before wait in
// an outbox that the selected dealer takes over.

import { kindToConnect } from "../addresses.ts";
import type { FramesToSend } from "../byte-strings.ts";
import { LibzmqDealer } from "../libzmq/dealer.ts";
import {
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  LinkError,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { ZmtpDealer } from "../zmtp/dealer.ts";
import { needsLibzmq } from "../zmtp/endpoints.ts";

export class AutomaticDealer implements DealerLink {
  readonly #handlers: DealerHandlers;
  readonly #options: DealerOptions;
  readonly #outbox: Outbox;
  #link: DealerLink;
  #isOpen = true;
  #isConnected = false;

  constructor(handlers: DealerHandlers, options: DealerOptions) {
    this.#handlers = handlers;
    this.#options = options;
    this.#outbox = new Outbox({ ...DEFAULT_LINK_LIMITS, ...options.limits });
    // It only holds the outbox until it connects.
    this.#link = new ZmtpDealer(handlers, { ...options, security: undefined }, this.#outbox);
  }

  connect(address: string): void {
    kindToConnect(address);
    if (!this.#isOpen) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the dealer is closed`, { address });
    }
    const usesLibzmq = needsLibzmq(address) || this.#options.security !== undefined;
    if (usesLibzmq && !this.#isConnected) {
      this.#link = new LibzmqDealer(this.#handlers, this.#options, this.#outbox);
    }
    this.#isConnected = true;
    this.#link.connect(address);
  }

  send(frames: FramesToSend, options?: SendOptions): SendOutcome {
    return this.#link.send(frames, options);
  }

  close(lingerMs?: number): Promise<void> {
    this.#isOpen = false;
    return this.#link.close(lingerMs);
  }
}
