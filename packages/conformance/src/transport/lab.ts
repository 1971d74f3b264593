// Routers and dealers under test: their handlers write down what they are told, and all of them are closed afterwards.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Inbox } from "@pigato/testkit";
import type {
  DealerLink,
  DealerOptions,
  Frames,
  LinkError,
  PeerFacts,
  Refusal,
  RouterLink,
  RouterOptions,
} from "@pigato/transport";
import { message } from "./frames.ts";
import { type Subject, TRANSPORTS } from "./subject.ts";

export interface Received {
  readonly peer: string;
  readonly frames: Frames;
}

export type RouterNews =
  | { readonly type: "up" | "down" | "drain"; readonly peer: string }
  | { readonly type: "undelivered"; readonly peer: string; readonly frames: Frames }
  | { readonly type: "refused"; readonly refusal: Refusal; readonly peer: string | undefined }
  | { readonly type: "error"; readonly error: LinkError };

export type DealerNews =
  | { readonly type: "up"; readonly facts: PeerFacts }
  | { readonly type: "down" | "drain" }
  | { readonly type: "undelivered"; readonly frames: Frames }
  | { readonly type: "refused"; readonly refusal: Refusal }
  | { readonly type: "error"; readonly error: LinkError };

export interface TestRouter {
  readonly link: RouterLink;
  readonly messages: Inbox<Received>;
  readonly news: Inbox<RouterNews>;
}

export interface TestDealer {
  readonly link: DealerLink;
  readonly messages: Inbox<Frames>;
  readonly news: Inbox<DealerNews>;
}

export class Lab {
  readonly subject: Subject;
  readonly #closers: (() => unknown)[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), "pigato-link-"));
  #count = 0;

  constructor(subject: Subject) {
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

  /** An address that nobody uses, as a dealer would know it beforehand. */
  async knownAddress(): Promise<string> {
    const router = this.router();
    const address = await router.link.bind(this.newAddress());
    await router.link.close();
    return address;
  }

  /** @param answer what to do with a message instead of writing it down */
  router(options?: RouterOptions, answer?: (link: RouterLink, peer: string, frames: Frames) => void): TestRouter {
    const messages = new Inbox<Received>();
    const news = new Inbox<RouterNews>();
    const link = TRANSPORTS[this.subject.router].router(
      {
        onMessage: (peer, frames) => (answer ? answer(link, peer, frames) : messages.add({ peer, frames })),
        onPeerUp: (peer) => news.add({ type: "up", peer }),
        onPeerDown: (peer) => news.add({ type: "down", peer }),
        onUndelivered: (peer, frames) => news.add({ type: "undelivered", peer, frames }),
        onDrain: (peer) => news.add({ type: "drain", peer }),
        onRefused: (refusal, peer) => news.add({ type: "refused", refusal, peer }),
        onError: (error) => news.add({ type: "error", error }),
      },
      options,
    );
    this.onClose(() => link.close(0));
    return { link, messages, news };
  }

  /** A router that answers every message with the same. */
  echoRouter(options?: RouterOptions): TestRouter {
    return this.router(options, (link, peer, frames) => link.send(peer, frames));
  }

  dealer(routingId: string, options: Omit<DealerOptions, "routingId"> = {}): TestDealer {
    const messages = new Inbox<Frames>();
    const news = new Inbox<DealerNews>();
    const link = TRANSPORTS[this.subject.dealer].dealer(
      {
        onMessage: (frames) => messages.add(frames),
        onUp: (facts) => news.add({ type: "up", facts }),
        onDown: () => news.add({ type: "down" }),
        onUndelivered: (frames) => news.add({ type: "undelivered", frames }),
        onDrain: () => news.add({ type: "drain" }),
        onRefused: (refusal) => news.add({ type: "refused", refusal }),
        onError: (error) => news.add({ type: "error", error }),
      },
      { reconnectMs: 10, reconnectMaxMs: 50, ...options, routingId },
    );
    this.onClose(() => link.close(0));
    return { link, messages, news };
  }

  /** A router that listens, and its address. */
  async boundRouter(options?: RouterOptions): Promise<TestRouter & { readonly address: string }> {
    const router = this.router(options);
    return { ...router, address: await router.link.bind(this.newAddress()) };
  }

  connectedDealer(routingId: string, address: string, options?: Omit<DealerOptions, "routingId">): TestDealer {
    const dealer = this.dealer(routingId, options);
    dealer.link.connect(address);
    return dealer;
  }

  /**
   * Something that takes its time: round trips of another pair. What could have happened meanwhile has, most likely; so it
   * may stand before a claim that nothing happened, never before a claim that something did.
   */
  async clockwork(): Promise<() => Promise<void>> {
    const router = this.echoRouter();
    const dealer = this.connectedDealer("clockwork", await router.link.bind(this.newAddress()));
    return async () => {
      dealer.link.send(message("tick"));
      await dealer.messages.take();
    };
  }

  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  async close(): Promise<void> {
    await Promise.all(this.#closers.map((close) => close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
