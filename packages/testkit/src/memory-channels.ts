// Publishers and subscribers of one process, connected by address: the publish-subscribe part of a memory network.

import {
  type Frames,
  LinkError,
  type PublisherLink,
  type SubscriberHandlers,
  type SubscriberLink,
} from "@pigato/transport";

type Enqueue = (step: () => void) => void;

export class MemoryChannels {
  readonly #enqueue: Enqueue;
  readonly #publishers = new Map<string, MemoryPublisher>();
  readonly #subscribers = new Set<MemorySubscriber>();

  /** @param enqueue schedules a delivery */
  constructor(enqueue: Enqueue) {
    this.#enqueue = enqueue;
  }

  publisher(): PublisherLink {
    return new MemoryPublisher(this);
  }

  subscriber(handlers: SubscriberHandlers): SubscriberLink {
    return new MemorySubscriber(this, handlers);
  }

  listen(address: string, publisher: MemoryPublisher): void {
    if (this.#publishers.has(address)) {
      throw new LinkError("ADDRESS_IN_USE", `the address ${address} is in use`, { address });
    }
    this.#publishers.set(address, publisher);
    for (const subscriber of this.#subscribers) {
      if (subscriber.address === address) this.#join(subscriber, publisher);
    }
  }

  unlisten(address: string): void {
    this.#publishers.delete(address);
    for (const subscriber of this.#subscribers) {
      if (subscriber.address === address) this.#enqueue(() => subscriber.handlers.onDown?.());
    }
  }

  attach(subscriber: MemorySubscriber, address: string): void {
    this.#subscribers.add(subscriber);
    const publisher = this.#publishers.get(address);
    if (publisher !== undefined) this.#join(subscriber, publisher);
  }

  detach(subscriber: MemorySubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  spread(addresses: ReadonlySet<string>, frames: Frames): void {
    for (const subscriber of this.#subscribers) {
      if (addresses.has(subscriber.address)) this.#enqueue(() => subscriber.receive(frames));
    }
  }

  #join(subscriber: MemorySubscriber, publisher: MemoryPublisher): void {
    this.#enqueue(() => {
      subscriber.handlers.onUp?.({});
      if (publisher.latest !== undefined) subscriber.receive(publisher.latest);
    });
  }
}

class MemoryPublisher implements PublisherLink {
  readonly #channels: MemoryChannels;
  readonly #addresses = new Set<string>();
  latest: Frames | undefined;

  constructor(channels: MemoryChannels) {
    this.#channels = channels;
  }

  async bind(address: string): Promise<string> {
    this.#channels.listen(address, this);
    this.#addresses.add(address);
    return address;
  }

  publish(frames: Frames): void {
    this.latest = frames;
    this.#channels.spread(this.#addresses, frames);
  }

  async close(): Promise<void> {
    for (const address of this.#addresses) this.#channels.unlisten(address);
    this.#addresses.clear();
  }
}

class MemorySubscriber implements SubscriberLink {
  readonly #channels: MemoryChannels;
  readonly handlers: SubscriberHandlers;
  readonly #prefixes = new Set<string>();
  address = "";
  #isClosed = false;

  constructor(channels: MemoryChannels, handlers: SubscriberHandlers) {
    this.#channels = channels;
    this.handlers = handlers;
  }

  subscribe(prefix: string): void {
    this.#prefixes.add(prefix);
  }

  connect(address: string): void {
    this.address = address;
    this.#channels.attach(this, address);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#channels.detach(this);
  }

  receive(frames: Frames): void {
    const start = Buffer.from(frames[0] ?? []).toString("latin1");
    if (this.#isClosed || ![...this.#prefixes].some((prefix) => start.startsWith(prefix))) return;
    this.handlers.onMessage(frames);
  }
}
