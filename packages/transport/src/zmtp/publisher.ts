// A publisher over ZMTP. It knows what went to whom, so nothing is repeated: whoever subscribes to what the latest message
// starts with is sent it, unless it was already.
//
// A subscriber that reads slowly has one message waiting at most: each that is published takes the place of the last. What
// is being written besides is a few messages, or one large one.
//
// Whoever subscribes to what it has already wants to be told again: a forwarder does so for a subscriber of its own that
// came late. It is, but not more often than every few milliseconds: nobody shall make us write by subscribing again and
// again.

import { systemClock } from "../clock.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  type LinkLimits,
  type PublisherHandlers,
  type PublisherLink,
  type Refusal,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { MAX_PREFIX_BYTES } from "../prefixes.ts";
import { surface } from "../surface.ts";
import { Acceptor, type AcceptorOwner } from "./acceptor.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { Connection, ConnectionSettings } from "./connection.ts";
import { Flusher } from "./flusher.ts";
import { readSubscription, Subscriptions } from "./subscriptions.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["SUB", "XSUB"]);
/** A subscription is a message of one frame. Others are read only to be dropped. */
const MAX_FRAMES = 16;
const MAX_FRAME_BYTES = 1 + MAX_PREFIX_BYTES;
/** Milliseconds from a wish to be told again to its fulfilment. */
const AGAIN_MS = 10;

export class ZmtpPublisher implements PublisherLink, AcceptorOwner {
  readonly #handlers: PublisherHandlers;
  readonly #limits: LinkLimits;
  readonly #acceptor: Acceptor;
  readonly #subscriptions = new Subscriptions<Connection>();
  #latest: Frames | undefined;
  /** What the latest starts with, as a byte string. */
  #start = "";
  /** Who was sent the latest, or has it waiting. */
  readonly #served = new Set<Connection>();
  readonly #askedAgain = new Set<Connection>();
  readonly #again = systemClock.alarm(() => this.#tellAgain());
  #closing: Promise<void> | undefined;

  constructor(handlers: PublisherHandlers = {}, limits: Partial<LinkLimits> = {}) {
    this.#handlers = handlers;
    this.#limits = {
      ...DEFAULT_LINK_LIMITS,
      maxFrameBytes: MAX_FRAME_BYTES,
      maxFrames: MAX_FRAMES,
      maxMessageBytes: MAX_FRAMES * MAX_FRAME_BYTES,
      ...limits,
    };
    const settings: ConnectionSettings = {
      socketType: "PUB",
      peerTypes: PEER_TYPES,
      routingId: "",
      isActive: false,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
    };
    this.#acceptor = new Acceptor("publisher", settings, this);
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
    this.#askedAgain.clear();
    for (const subscriber of this.#subscriptions.wanting(this.#start)) this.#tell(subscriber, frames);
  }

  close(): Promise<void> {
    this.#again.set(undefined);
    this.#closing ??= this.#acceptor.close(0);
    return this.#closing;
  }

  newOutbox(): Outbox {
    return new Outbox(this.#limits);
  }

  onTurnedAway(refusal: Refusal): void {
    this.#tellRefused(refusal);
  }

  onReady(): undefined {}

  onUp(): void {}

  onMessage(connection: Connection, frames: readonly Uint8Array[]): void {
    const subscription = readSubscription(frames);
    if (subscription !== undefined) this.onSubscription(connection, subscription.prefix, subscription.isWanted);
  }

  onSubscription(connection: Connection, prefix: string, isWanted: boolean): void {
    if (!isWanted) return this.#subscriptions.remove(connection, prefix);
    const violation = this.#subscriptions.add(connection, prefix);
    if (violation !== undefined) return connection.destroy(violation);
    const latest = this.#latest;
    if (latest === undefined || !this.#start.startsWith(prefix)) return;
    if (!this.#served.has(connection)) return this.#tell(connection, latest);
    if (this.#askedAgain.size === 0) this.#again.set(systemClock.now() + AGAIN_MS);
    this.#askedAgain.add(connection);
  }

  onDrain(): void {}

  onEnd(connection: Connection, violation: Violation | undefined): void {
    const facts = this.#acceptor.factsOf(connection);
    this.#acceptor.forget(connection);
    this.#subscriptions.removeAll(connection);
    this.#served.delete(connection);
    this.#askedAgain.delete(connection);
    if (violation !== undefined && this.#closing === undefined) this.#tellRefused({ ...violation, ...facts });
  }

  /** Takes the place of what waits for it. */
  #tell(subscriber: Connection, frames: Frames): void {
    this.#served.add(subscriber);
    subscriber.outbox.shift();
    subscriber.send(frames, false);
  }

  #tellAgain(): void {
    const latest = this.#latest;
    if (latest === undefined) return;
    const wanting = this.#subscriptions.wanting(this.#start);
    for (const subscriber of this.#askedAgain) {
      if (wanting.has(subscriber)) this.#tell(subscriber, latest);
    }
    this.#askedAgain.clear();
  }

  #tellRefused(refusal: Refusal): void {
    try {
      this.#handlers.onRefused?.(refusal);
    } catch (error) {
      surface(error);
    }
  }
}
