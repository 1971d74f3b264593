// A subscriber that selects its transport by the address that it connects to. With security it uses libzmq. The selected subscriber
// takes over the prefixes added before.

import { kindToConnect } from "../addresses.ts";
import { LibzmqSubscriber } from "../libzmq/subscriber.ts";
import { LinkError, type SubscriberHandlers, type SubscriberLink, type SubscriberOptions } from "../link.ts";
import { Prefixes } from "../prefixes.ts";
import { needsLibzmq } from "../zmtp/endpoints.ts";
import { ZmtpSubscriber } from "../zmtp/subscriber.ts";

export class AutomaticSubscriber implements SubscriberLink {
  readonly #handlers: SubscriberHandlers;
  readonly #options: SubscriberOptions | undefined;
  readonly #prefixes = new Prefixes();
  #link: SubscriberLink | undefined;
  #isOpen = true;

  constructor(handlers: SubscriberHandlers, options?: SubscriberOptions) {
    this.#handlers = handlers;
    this.#options = options;
  }

  subscribe(prefix: string): void {
    if (this.#isOpen && this.#prefixes.add(prefix)) this.#link?.subscribe(prefix);
  }

  connect(address: string): void {
    kindToConnect(address);
    if (!this.#isOpen) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the subscriber is closed`, { address });
    }
    const link = this.#link ?? this.#linkTo(address);
    link.connect(address);
    this.#link = link;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#link?.close();
  }

  #linkTo(address: string): SubscriberLink {
    const usesLibzmq = needsLibzmq(address) || this.#options?.security !== undefined;
    const Link = usesLibzmq ? LibzmqSubscriber : ZmtpSubscriber;
    const link = new Link(this.#handlers, this.#options);
    for (const prefix of this.#prefixes) link.subscribe(prefix);
    return link;
  }
}
