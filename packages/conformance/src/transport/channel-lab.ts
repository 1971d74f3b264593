// Publishers and subscribers under test: their handlers write down what they are told, and all of them are closed
// afterwards.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Inbox } from "@pigato/testkit";
import type { Frames, LinkError, PublisherLink, SubscriberLink, SubscriberOptions } from "@pigato/transport";
import { TRANSPORTS, type TransportName } from "./subject.ts";

/** What the suite is run on: two implementations that meet over one kind of address. */
export interface ChannelSubject {
  readonly publisher: TransportName;
  readonly subscriber: TransportName;
  readonly kind: "tcp" | "ipc" | "inproc";
}

export type SubscriberNews = { readonly type: "up" | "down" } | { readonly type: "error"; readonly error: LinkError };

export interface TestSubscriber {
  readonly link: SubscriberLink;
  readonly messages: Inbox<Frames>;
  readonly news: Inbox<SubscriberNews>;
}

export class ChannelLab {
  readonly subject: ChannelSubject;
  readonly #closers: (() => unknown)[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "pigato-channel-"));
  #count = 0;

  constructor(subject: ChannelSubject) {
    this.subject = subject;
  }

  /** An address to bind at that nobody uses. */
  newAddress(): string {
    this.#count += 1;
    switch (this.subject.kind) {
      case "tcp":
        return "tcp://127.0.0.1:*";
      case "ipc":
        return `ipc://${this.#folder}/${this.#count}.sock`;
      case "inproc":
        return `inproc://${this.#folder}/${this.#count}`;
      default:
        return this.subject.kind satisfies never;
    }
  }

  /** An address that nobody uses, as a subscriber would know it beforehand. */
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
    this.onClose(() => link.close());
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
    const news = new Inbox<SubscriberNews>();
    const link = TRANSPORTS[this.subject.subscriber].subscriber(
      {
        onMessage: (frames) => messages.add(frames),
        onUp: () => news.add({ type: "up" }),
        onDown: () => news.add({ type: "down" }),
        onError: (error) => news.add({ type: "error", error }),
      },
      { reconnectMs: 10, reconnectMaxMs: 50, ...options },
    );
    this.onClose(() => link.close());
    link.subscribe(prefix);
    link.connect(address);
    return { link, messages, news };
  }

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
