// A subscriber over ZMTP. It subscribes again with each new connection to its publisher.

import { callHandler } from "../handlers.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type LinkLimits,
  type SubscriberHandlers,
  type SubscriberLink,
  type SubscriberOptions,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { Prefixes } from "../prefixes.ts";
import { nextTick } from "../timers.ts";
import { Dialer, type DialerSettings } from "./dialer.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import { peerMechanism } from "./mechanism/select.ts";
import type { ConnectionOwner, SocketConnection } from "./socket-connection.ts";
import { ReceiveBudget } from "./unfinished.ts";
import type { Violation } from "./wire.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["PUB", "XPUB"]);

export class ZmtpSubscriber implements SubscriberLink, ConnectionOwner {
  readonly #handlers: SubscriberHandlers;
  readonly #limits: LinkLimits;
  readonly #prefixes = new Prefixes();
  readonly #dialer: Dialer;
  #closing: Promise<void> | undefined;

  constructor(handlers: SubscriberHandlers, options: SubscriberOptions = {}) {
    const { maxFrameBytes = DEFAULT_LINK_LIMITS.maxFrameBytes } = options;
    this.#handlers = handlers;
    this.#limits = { ...DEFAULT_LINK_LIMITS, maxFrameBytes };
    const settings: DialerSettings = {
      linkName: "subscriber",
      metadata: { socketType: "SUB", routingId: "" },
      mechanism: peerMechanism(options.security),
      peerTypes: PEER_TYPES,
      isActive: true,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(nextTick),
      receiving: new ReceiveBudget(this.#limits),
      reconnectMs: options.reconnectMs,
      reconnectMaxMs: options.reconnectMaxMs,
    };
    this.#dialer = new Dialer(settings, this);
  }

  subscribe(prefix: string): void {
    if (this.#closing !== undefined || !this.#prefixes.add(prefix)) return;
    const { connection } = this.#dialer;
    if (connection?.isUp) connection.subscribe(prefix);
  }

  connect(address: string): void {
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the subscriber is closed`, { address });
    }
    this.#dialer.connect(address);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#dialer.stop();
    await this.#dialer.connection?.finish(0);
  }

  /** A subscriber sends no messages. */
  outboxForConnection(): Outbox {
    return new Outbox(this.#limits);
  }

  onIntroduced(): undefined {}

  onUp(connection: SocketConnection): void {
    this.#dialer.onUp();
    for (const prefix of this.#prefixes) connection.subscribe(prefix);
    this.#call(() => this.#handlers.onUp?.(this.#dialer.facts));
  }

  onMessage(_connection: SocketConnection, frames: Frames): void {
    this.#call(() => this.#handlers.onMessage(frames));
  }

  onDrain(): void {}

  onEnd(connection: SocketConnection, violation: Violation | undefined): void {
    this.#dialer.onEnd();
    if (violation !== undefined) this.#call(() => this.#handlers.onRejected?.({ ...violation, ...this.#dialer.facts }));
    if (connection.wasUp) return this.#call(() => this.#handlers.onDown?.());
    this.#call(() => this.#handlers.onAttemptFailed?.(this.#dialer.failureOf(connection, violation)));
  }

  /** Calls no handler after `close`. */
  #call(handler: () => void): void {
    if (this.#closing === undefined) callHandler(handler);
  }
}
