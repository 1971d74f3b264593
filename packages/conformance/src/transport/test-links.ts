// Routers and dealers under test. Their handlers record every call, and they are closed when the test has finished.

import { Inbox } from "@pigato/testkit";
import type {
  ConnectionRejection,
  DealerLink,
  DealerOptions,
  Frames,
  LinkError,
  PeerFacts,
  RouterLink,
  RouterOptions,
} from "@pigato/transport";
import { onTestFinished } from "vitest";
import { message } from "./frames.ts";
import { type Subject, TRANSPORTS } from "./subject.ts";
import { testAddresses } from "./test-addresses.ts";

export interface Received {
  readonly peer: string;
  readonly frames: Frames;
}

export type RouterEvent =
  | { readonly type: "up" | "down" | "drain"; readonly peer: string }
  | { readonly type: "undelivered"; readonly peer: string; readonly frames: Frames }
  | { readonly type: "rejected"; readonly rejection: ConnectionRejection; readonly peer: string | undefined }
  | { readonly type: "error"; readonly error: LinkError };

export type DealerEvent =
  | { readonly type: "up"; readonly facts: PeerFacts }
  | { readonly type: "down" | "drain" }
  | { readonly type: "undelivered"; readonly frames: Frames }
  | { readonly type: "rejected"; readonly rejection: ConnectionRejection }
  | { readonly type: "error"; readonly error: LinkError };

export interface TestRouter {
  readonly link: RouterLink;
  readonly messages: Inbox<Received>;
  readonly events: Inbox<RouterEvent>;
}

export interface TestDealer {
  readonly link: DealerLink;
  readonly messages: Inbox<Frames>;
  readonly events: Inbox<DealerEvent>;
  /** Attempts to connect that failed. */
  readonly failures: Inbox<LinkError>;
}

export class TestLinks {
  readonly subject: Subject;
  /** An address to bind. */
  readonly newAddress: () => string;

  constructor(subject: Subject) {
    this.subject = subject;
    this.newAddress = testAddresses(subject.kind);
  }

  /** A free address that a dealer can know in advance. */
  async knownAddress(): Promise<string> {
    const router = this.router();
    const address = await router.link.bind(this.newAddress());
    await router.link.close();
    return address;
  }

  /** @param answer handles a message instead of recording it */
  router(options?: RouterOptions, answer?: (link: RouterLink, peer: string, frames: Frames) => void): TestRouter {
    const messages = new Inbox<Received>();
    const events = new Inbox<RouterEvent>();
    const link = TRANSPORTS[this.subject.router].router(
      {
        onMessage: (peer, frames) => (answer ? answer(link, peer, frames) : messages.add({ peer, frames })),
        onPeerUp: (peer) => events.add({ type: "up", peer }),
        onPeerDown: (peer) => events.add({ type: "down", peer }),
        onUndelivered: (peer, frames) => events.add({ type: "undelivered", peer, frames }),
        onDrain: (peer) => events.add({ type: "drain", peer }),
        onRejected: (rejection, peer) => events.add({ type: "rejected", rejection, peer }),
        onError: (error) => events.add({ type: "error", error }),
      },
      options,
    );
    onTestFinished(() => link.close(0));
    return { link, messages, events };
  }

  /** A router that returns every message. */
  echoRouter(options?: RouterOptions): TestRouter {
    return this.router(options, (link, peer, frames) => link.send(peer, frames));
  }

  dealer(routingId: string, options: Omit<DealerOptions, "routingId"> = {}): TestDealer {
    const messages = new Inbox<Frames>();
    const events = new Inbox<DealerEvent>();
    const failures = new Inbox<LinkError>();
    const link = TRANSPORTS[this.subject.dealer].dealer(
      {
        onMessage: (frames) => messages.add(frames),
        onUp: (facts) => events.add({ type: "up", facts }),
        onDown: () => events.add({ type: "down" }),
        onUndelivered: (frames) => events.add({ type: "undelivered", frames }),
        onDrain: () => events.add({ type: "drain" }),
        onRejected: (rejection) => events.add({ type: "rejected", rejection }),
        onAttemptFailed: (error) => failures.add(error),
        onError: (error) => events.add({ type: "error", error }),
      },
      { reconnectMs: 10, reconnectMaxMs: 50, ...options, routingId },
    );
    onTestFinished(() => link.close(0));
    return { link, messages, events, failures };
  }

  /** A bound router, and its address. */
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
   * Lets time pass by round trips of another pair. Most likely, everything pending has happened then, so it may precede an
   * assertion that nothing happened, but never one that something did.
   */
  async clockwork(): Promise<() => Promise<void>> {
    const router = this.echoRouter();
    const dealer = this.connectedDealer("clockwork", await router.link.bind(this.newAddress()));
    return async () => {
      dealer.link.send(message("tick"));
      await dealer.messages.take();
    };
  }
}
