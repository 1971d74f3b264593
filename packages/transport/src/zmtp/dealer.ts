// A dealer over ZMTP. What is sent while there is no connection waits in the outbox, and leaves by the next one.

import { systemClock } from "../clock.ts";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
import {
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  LinkError,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { orAfter } from "../or-after.ts";
import { Outbox } from "../outbox.ts";
import { routingIdBytes } from "../routing-id.ts";
import { surface } from "../surface.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import { Dialer, type DialerSettings } from "./dialer.ts";
import { Flusher } from "./flusher.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["ROUTER", "REP", "DEALER"]);

export class ZmtpDealer implements DealerLink, ConnectionOwner {
  readonly #handlers: DealerHandlers;
  readonly #outbox: Outbox;
  readonly #dialer: Dialer;
  #onUpWhileClosing: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** @param outbox what waits already */
  constructor(handlers: DealerHandlers, options: DealerOptions, outbox?: Outbox) {
    routingIdBytes(options.routingId);
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#handlers = handlers;
    this.#outbox = outbox ?? new Outbox(limits);
    const settings: DialerSettings = {
      socketType: "DEALER",
      peerTypes: PEER_TYPES,
      routingId: options.routingId,
      isActive: true,
      limits,
      pool: new BufferPool(),
      flusher: new Flusher(process.nextTick),
      reconnectMs: options.reconnectMs,
      reconnectMaxMs: options.reconnectMaxMs,
    };
    this.#dialer = new Dialer("dealer", this.#outbox, settings, this);
  }

  connect(address: string): void {
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the dealer is closed`, { address });
    }
    this.#dialer.connect(address);
  }

  send(frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#closing !== undefined) return "congested";
    const isUrgent = options?.urgent ?? false;
    const { connection } = this.#dialer;
    return connection?.isUp ? connection.send(frames, isUrgent) : this.#outbox.offer(frames, isUrgent);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs: number): Promise<void> {
    const deadline = systemClock.now() + lingerMs;
    if (!this.#outbox.isEmpty && !this.#dialer.connection?.isUp) {
      await orAfter(
        lingerMs,
        new Promise((resolve) => {
          this.#onUpWhileClosing = resolve;
        }),
      );
    }
    await this.#dialer.connection?.finish(Math.max(0, deadline - systemClock.now()));
    this.#dialer.stop();
    for (let frames = this.#outbox.shift(); frames !== undefined; frames = this.#outbox.shift()) {
      const undelivered = asBytes(frames);
      this.#call(() => this.#handlers.onUndelivered?.(undelivered));
    }
  }

  onReady(): undefined {}

  onUp(): void {
    this.#dialer.onUp();
    if (this.#closing === undefined) this.#call(() => this.#handlers.onUp?.(this.#dialer.facts));
    this.#onUpWhileClosing?.();
  }

  onMessage(_connection: Connection, frames: Frames): void {
    if (this.#closing !== undefined) return;
    try {
      this.#handlers.onMessage(frames);
    } catch (error) {
      surface(error);
    }
  }

  onDrain(): void {
    this.#call(() => this.#handlers.onDrain?.());
  }

  onEnd(connection: Connection, violation: Violation | undefined): void {
    this.#dialer.onEnd();
    if (this.#closing !== undefined) return;
    if (violation !== undefined) this.#call(() => this.#handlers.onRefused?.({ ...violation, ...this.#dialer.facts }));
    if (connection.wasUp) this.#call(() => this.#handlers.onDown?.());
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
