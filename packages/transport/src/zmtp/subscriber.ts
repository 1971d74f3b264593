// A subscriber over ZMTP: one publisher, told at each connection what is wanted.

import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type SubscriberHandlers,
  type SubscriberLink,
  type SubscriberOptions,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { Prefixes } from "../prefixes.ts";
import { surface } from "../surface.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import { Dialer, type DialerSettings } from "./dialer.ts";
import { Flusher } from "./flusher.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["PUB", "XPUB"]);

export class ZmtpSubscriber implements SubscriberLink, ConnectionOwner {
  readonly #handlers: SubscriberHandlers;
  readonly #prefixes = new Prefixes();
  readonly #dialer: Dialer;
  #closing: Promise<void> | undefined;

  constructor(handlers: SubscriberHandlers, options: SubscriberOptions = {}) {
    const { maxFrameBytes = DEFAULT_LINK_LIMITS.maxFrameBytes } = options;
    this.#handlers = handlers;
    const limits = { ...DEFAULT_LINK_LIMITS, maxFrameBytes };
    const settings: DialerSettings = {
      socketType: "SUB",
      peerTypes: PEER_TYPES,
      routingId: "",
      isActive: true,
      limits,
      pool: new BufferPool(),
      flusher: new Flusher(process.nextTick),
      reconnectMs: options.reconnectMs,
      reconnectMaxMs: options.reconnectMaxMs,
    };
    this.#dialer = new Dialer("subscriber", new Outbox(limits), settings, this);
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

  onReady(): undefined {}

  onUp(connection: Connection): void {
    this.#dialer.onUp();
    for (const prefix of this.#prefixes) connection.subscribe(prefix);
    this.#call(() => this.#handlers.onUp?.(this.#dialer.facts));
  }

  onMessage(_connection: Connection, frames: Frames): void {
    this.#call(() => this.#handlers.onMessage(frames));
  }

  onDrain(): void {}

  onEnd(connection: Connection, violation: Violation | undefined): void {
    this.#dialer.onEnd();
    if (violation !== undefined) this.#call(() => this.#handlers.onRefused?.({ ...violation, ...this.#dialer.facts }));
    if (connection.wasUp) this.#call(() => this.#handlers.onDown?.());
  }

  /** Nothing is told after `close`. */
  #call(handler: () => void): void {
    if (this.#closing !== undefined) return;
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
