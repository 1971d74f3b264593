// Publishers and subscribers under test. Their handlers record every call, and they are closed when the test has finished.

import { Inbox } from "@pigato/testkit";
import type { Frames, LinkError, PublisherLink, SubscriberLink, SubscriberOptions } from "@pigato/transport";
import { onTestFinished } from "vitest";
import { TRANSPORTS, type TransportName } from "./subject.ts";
import { testAddresses } from "./test-addresses.ts";

/** The subject of the suite: two implementations and the kind of address between them. */
export interface ChannelSubject {
  readonly publisher: TransportName;
  readonly subscriber: TransportName;
  readonly kind: "tcp" | "ipc" | "inproc";
}

export type SubscriberEvent = { readonly type: "up" | "down" } | { readonly type: "error"; readonly error: LinkError };

export interface TestSubscriber {
  readonly link: SubscriberLink;
  readonly messages: Inbox<Frames>;
  readonly events: Inbox<SubscriberEvent>;
}

export class TestChannels {
  readonly subject: ChannelSubject;
  /** An address to bind. */
  readonly newAddress: () => string;

  constructor(subject: ChannelSubject) {
    this.subject = subject;
    this.newAddress = testAddresses(subject.kind);
  }

  /** A free address that a subscriber can know in advance. */
  async knownAddress(): Promise<string> {
    const { link, address } = await this.boundPublisher();
    await link.close();
    return address;
  }

  publisher(): PublisherLink {
    const link = TRANSPORTS[this.subject.publisher].publisher({
      onError: (error) => {
        throw error;
      },
    });
    onTestFinished(() => link.close());
    return link;
  }

  async boundPublisher(
    address: string = this.newAddress(),
  ): Promise<{ readonly link: PublisherLink; readonly address: string }> {
    const link = this.publisher();
    return { link, address: await link.bind(address) };
  }

  /** Subscribes before it connects. */
  subscriber(prefix: string, address: string, options: SubscriberOptions = {}): TestSubscriber {
    const messages = new Inbox<Frames>();
    const events = new Inbox<SubscriberEvent>();
    const link = TRANSPORTS[this.subject.subscriber].subscriber(
      {
        onMessage: (frames) => messages.add(frames),
        onUp: () => events.add({ type: "up" }),
        onDown: () => events.add({ type: "down" }),
        onError: (error) => events.add({ type: "error", error }),
      },
      { reconnectMs: 10, reconnectMaxMs: 50, ...options },
    );
    onTestFinished(() => link.close());
    link.subscribe(prefix);
    link.connect(address);
    return { link, messages, events };
  }
}
