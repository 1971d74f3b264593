// A transport without sockets: routers and dealers of one process, connected by address. Deliveries wait in a queue until the
// test (or a microtask, with `auto`) runs them, so a test controls the order of events.

import {
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  type FramesToSend,
  LinkError,
  type PublisherLink,
  type RouterHandlers,
  type RouterLink,
  type SendOutcome,
  type SubscriberHandlers,
  type SubscriberLink,
  type Transport,
  toBytes,
} from "@pigato/transport";
import { MemoryChannels } from "./memory-channels.ts";

/** More deliveries than any test has at once: only an endless exchange of messages reaches it. */
const MAX_DELIVERIES = 20_000;

export class MemoryNetwork implements Transport {
  readonly #routers = new Map<string, MemoryRouter>();
  readonly #dealers = new Set<MemoryDealer>();
  readonly #channels = new MemoryChannels((step) => this.enqueue(step));
  readonly #queue: (() => void)[] = [];
  readonly #auto: boolean;
  #isScheduled = false;
  /** Deliveries at once: since the call of `deliver`, or with `auto` in this turn of the event loop. */
  #deliveries = 0;

  /** @param options.auto deliver in a microtask instead of waiting for `deliver()` */
  constructor(options: { readonly auto?: boolean } = {}) {
    this.#auto = options.auto ?? false;
  }

  router(handlers: RouterHandlers): MemoryRouter {
    return new MemoryRouter(this, handlers);
  }

  dealer(handlers: DealerHandlers, options: DealerOptions): MemoryDealer {
    return new MemoryDealer(this, handlers, options.routingId);
  }

  publisher(): PublisherLink {
    return this.#channels.publisher();
  }

  subscriber(handlers: SubscriberHandlers): SubscriberLink {
    return this.#channels.subscriber(handlers);
  }

  /**
   * Runs every delivery in the queue, and the deliveries that they cause.
   * @throws Error for an endless exchange of messages
   */
  deliver(): void {
    if (!this.#auto) this.#deliveries = 0;
    for (let step = this.#queue.shift(); step !== undefined; step = this.#queue.shift()) {
      this.#deliveries += 1;
      if (this.#deliveries > MAX_DELIVERIES) throw new Error("the peers answer each other without end");
      step();
    }
  }

  /** Cuts the connection of every dealer at `address`, as a network failure does: without a DISCONNECT. */
  cut(address: string): void {
    for (const dealer of this.#dealers) if (dealer.address === address) dealer.lose();
  }

  enqueue(step: () => void): void {
    this.#queue.push(step);
    if (!this.#auto || this.#isScheduled) return;
    this.#isScheduled = true;
    if (this.#deliveries === 0) setImmediate(() => this.#startTurn());
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.deliver();
    });
  }

  #startTurn(): void {
    this.#deliveries = 0;
  }

  listen(address: string, router: MemoryRouter): void {
    if (this.#routers.has(address)) {
      throw new LinkError("ADDRESS_IN_USE", `the address ${address} is in use`, { address });
    }
    this.#routers.set(address, router);
    for (const dealer of this.#dealers) if (dealer.address === address) dealer.join(router);
  }

  unlisten(address: string): void {
    this.#routers.delete(address);
  }

  attach(dealer: MemoryDealer, address: string): void {
    this.#dealers.add(dealer);
    const router = this.#routers.get(address);
    if (router) dealer.join(router);
  }

  detach(dealer: MemoryDealer): void {
    this.#dealers.delete(dealer);
  }
}

export class MemoryRouter implements RouterLink {
  readonly #network: MemoryNetwork;
  readonly handlers: RouterHandlers;
  readonly #peers = new Map<string, MemoryDealer>();
  readonly #addresses = new Set<string>();
  /** Peers to which `send` answers "congested", set by tests. */
  readonly congested: Set<string> = new Set();

  constructor(network: MemoryNetwork, handlers: RouterHandlers) {
    this.#network = network;
    this.handlers = handlers;
  }

  async bind(address: string): Promise<string> {
    this.#network.listen(address, this);
    this.#addresses.add(address);
    return address;
  }

  async unbind(address: string): Promise<void> {
    this.#addresses.delete(address);
    this.#network.unlisten(address);
  }

  send(peer: string, frames: FramesToSend): SendOutcome {
    const dealer = this.#peers.get(peer);
    if (dealer === undefined) return "unreachable";
    if (this.congested.has(peer)) return "congested";
    this.#network.enqueue(() => dealer.receive(this, toBytes(frames)));
    return "queued";
  }

  async close(): Promise<void> {
    for (const address of this.#addresses) this.#network.unlisten(address);
    this.#addresses.clear();
    const peers = [...this.#peers.values()];
    this.#peers.clear();
    this.#network.enqueue(() => {
      for (const dealer of peers) dealer.lose();
    });
  }

  join(dealer: MemoryDealer): boolean {
    if (this.#peers.has(dealer.routingId)) return false;
    this.#peers.set(dealer.routingId, dealer);
    this.handlers.onPeerUp?.(dealer.routingId, {});
    return true;
  }

  /** Loses a peer without reporting it, as a link does that detects the loss only when it sends. */
  forget(peer: string): void {
    this.#peers.delete(peer);
  }

  leave(dealer: MemoryDealer): void {
    if (this.#peers.get(dealer.routingId) !== dealer) return;
    this.#peers.delete(dealer.routingId);
    this.handlers.onPeerDown?.(dealer.routingId);
  }
}

export class MemoryDealer implements DealerLink {
  readonly #network: MemoryNetwork;
  readonly #handlers: DealerHandlers;
  readonly routingId: string;
  address: string | undefined;
  #router: MemoryRouter | undefined;
  #waiting: Frames[] = [];
  #isClosed = false;

  constructor(network: MemoryNetwork, handlers: DealerHandlers, routingId: string) {
    this.#network = network;
    this.#handlers = handlers;
    this.routingId = routingId;
  }

  connect(address: string): void {
    this.address = address;
    this.#network.attach(this, address);
  }

  send(frames: FramesToSend): SendOutcome {
    const router = this.#router;
    const sent = toBytes(frames);
    if (router === undefined) this.#waiting.push(sent);
    else this.#network.enqueue(() => router.handlers.onMessage(this.routingId, sent));
    return "queued";
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#network.detach(this);
    const router = this.#router;
    this.#network.enqueue(() => router?.leave(this));
  }

  join(router: MemoryRouter): void {
    this.#network.enqueue(() => {
      if (this.#isClosed || !router.join(this)) return;
      this.#router = router;
      this.#handlers.onUp?.({});
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const frames of waiting) this.send(frames);
    });
  }

  receive(router: MemoryRouter, frames: Frames): void {
    if (!this.#isClosed && this.#router === router) this.#handlers.onMessage(frames);
  }

  /** Cuts the connection. */
  lose(): void {
    const router = this.#router;
    if (router === undefined || this.#isClosed) return;
    this.#router = undefined;
    router.leave(this);
    this.#handlers.onDown?.();
  }
}

/** A transport without a network, for code that creates dealers only. */
export function dealersOnly(dealer: Transport["dealer"]): Transport {
  const unused = (): never => {
    throw new Error("not used here");
  };
  return { router: unused, publisher: unused, subscriber: unused, dealer };
}
