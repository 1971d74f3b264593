// A publisher over ZMTP. It knows which subscriber has which message, so it repeats none: a peer that subscribes to a prefix of the
// latest message gets it, unless it has it.
//
// At most one message waits for a subscriber that reads slowly: each published message replaces it. A write in progress holds a
// few messages more, or one large one.
//
// A peer that subscribes again to a prefix that it has gets the latest message again: a forwarder does so for a late subscriber
// of its own. It gets the message at most once in a few milliseconds: repeated subscriptions must not cause writes without bound.

import { systemClock } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import {
  type ConnectionRejection,
  DEFAULT_LINK_LIMITS,
  type Frames,
  type LinkLimits,
  type PublisherHandlers,
  type PublisherLink,
  type PublisherOptions,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { MAX_PREFIX_BYTES } from "../prefixes.ts";
import { setImmediate } from "../timers.ts";
import { Acceptor, type AcceptorOwner } from "./acceptor.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import { authenticatorOf } from "./link-authenticator.ts";
import { listenerMechanism } from "./mechanism/select.ts";
import type { SocketConnection } from "./socket-connection.ts";
import { readSubscription, Subscriptions } from "./subscriptions.ts";
import { ReceiveBudget } from "./unfinished.ts";
import type { Violation } from "./wire.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["SUB", "XSUB"]);
/** A subscription is a message of one frame. Other messages are dropped. */
const MAX_FRAMES = 16;
const MAX_FRAME_BYTES = 1 + MAX_PREFIX_BYTES;
/** Milliseconds from a repeated subscription to the repeated message. */
const REPEAT_MS = 10;

export interface ZmtpPublisherOptions extends PublisherOptions {
  readonly limits?: Partial<LinkLimits>;
}

export class ZmtpPublisher implements PublisherLink, AcceptorOwner {
  readonly #handlers: PublisherHandlers;
  readonly #limits: LinkLimits;
  readonly #acceptor: Acceptor;
  readonly #subscriptions = new Subscriptions<SocketConnection>();
  #latest: Frames | undefined;
  /** The start of the latest message, as a byte string. */
  #start = "";
  /** Subscribers that got the latest message, or have it in their outbox. */
  readonly #served = new Set<SocketConnection>();
  readonly #repeatTo = new Set<SocketConnection>();
  readonly #repeat = systemClock.alarm(() => this.#sendAgain());
  #closing: Promise<void> | undefined;

  constructor(handlers: PublisherHandlers = {}, { limits, security }: ZmtpPublisherOptions = {}) {
    this.#handlers = handlers;
    this.#limits = {
      ...DEFAULT_LINK_LIMITS,
      maxFrameBytes: MAX_FRAME_BYTES,
      maxFrames: MAX_FRAMES,
      maxMessageBytes: MAX_FRAMES * MAX_FRAME_BYTES,
      ...limits,
    };
    const settings: ConnectionSettings = {
      linkName: "publisher",
      metadata: { socketType: "PUB", routingId: "" },
      mechanism: listenerMechanism(security),
      authenticator: authenticatorOf(security),
      peerTypes: PEER_TYPES,
      isActive: false,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
      receiving: new ReceiveBudget(this.#limits),
    };
    this.#acceptor = new Acceptor(settings, this);
  }

  bind(address: string): Promise<string> {
    return this.#acceptor.bind(address);
  }

  publish(frames: Frames): void {
    const [first] = frames;
    if (first === undefined) throw new TypeError("a message has at least one frame");
    if (this.#closing !== undefined) return;
    this.#latest = frames;
    this.#start = Buffer.from(first.subarray(0, MAX_PREFIX_BYTES)).toString("latin1");
    this.#served.clear();
    this.#repeatTo.clear();
    for (const subscriber of this.#subscriptions.matching(this.#start)) this.#send(subscriber, frames);
  }

  close(): Promise<void> {
    this.#repeat.set(undefined);
    this.#closing ??= this.#acceptor.close(0);
    return this.#closing;
  }

  /** The connections that it remembers besides their subscriptions, for the checks of tests. */
  audit(): Iterable<SocketConnection> {
    return [...this.#served, ...this.#repeatTo];
  }

  outboxForConnection(): Outbox {
    return new Outbox(this.#limits);
  }

  onRejectedConnection(rejection: ConnectionRejection): void {
    callHandler(() => this.#handlers.onRejected?.(rejection));
  }

  onIntroduced(): undefined {}

  onUp(): void {}

  onMessage(connection: SocketConnection, frames: readonly Uint8Array[]): void {
    const subscription = readSubscription(frames);
    if (subscription !== undefined) this.onSubscription(connection, subscription.prefix, subscription.isSubscribed);
  }

  onSubscription(connection: SocketConnection, prefix: string, isSubscribed: boolean): void {
    if (!isSubscribed) return this.#subscriptions.remove(connection, prefix);
    const violation = this.#subscriptions.add(connection, prefix);
    if (violation !== undefined) return connection.destroy(violation);
    const latest = this.#latest;
    if (latest === undefined || !this.#start.startsWith(prefix)) return;
    if (!this.#served.has(connection)) return this.#send(connection, latest);
    if (this.#repeatTo.size === 0) this.#repeat.set(systemClock.now() + REPEAT_MS);
    this.#repeatTo.add(connection);
  }

  onDrain(): void {}

  onEnd(connection: SocketConnection, violation: Violation | undefined): void {
    const facts = this.#acceptor.factsOf(connection);
    this.#acceptor.remove(connection);
    this.#subscriptions.removeAll(connection);
    this.#served.delete(connection);
    this.#repeatTo.delete(connection);
    if (violation === undefined || this.#closing !== undefined) return;
    callHandler(() => this.#handlers.onRejected?.({ ...violation, ...facts }));
  }

  /** Replaces the message that waits for the subscriber. */
  #send(subscriber: SocketConnection, frames: Frames): void {
    this.#served.add(subscriber);
    subscriber.outbox.shift();
    subscriber.send(frames, false);
  }

  #sendAgain(): void {
    const latest = this.#latest;
    if (latest === undefined) return;
    const matching = this.#subscriptions.matching(this.#start);
    for (const subscriber of this.#repeatTo) {
      if (matching.has(subscriber)) this.#send(subscriber, latest);
    }
    this.#repeatTo.clear();
  }
}
