// A dealer over ZMTP, or another socket that connects and sends. Messages sent without a connection wait in the outbox and leave with the next one.

import { type FramesToSend, routingIdBytes, toBytes } from "../byte-strings.ts";
import { systemClock, withTimeout } from "../clock.ts";
import { callHandler, throwAsync } from "../handlers.ts";
import {
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  LinkError,
  type OversizedMessage,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { nextTick } from "../timers.ts";
import { Dialer, type DialerSettings } from "./dialer.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import { peerMechanism } from "./mechanism/select.ts";
import type { ConnectionOwner, SocketConnection } from "./socket-connection.ts";
import { ReceiveBudget } from "./unfinished.ts";
import type { Violation } from "./wire.ts";

/** What distinguishes the sockets that connect and send. */
export interface SendingKind {
  readonly linkName: "dealer" | "pusher";
  readonly socketType: "DEALER" | "PUSH";
  readonly peerTypes: ReadonlySet<string>;
  /** See `ConnectionSettings`. */
  readonly sendsPings: boolean;
}

const DEALER: SendingKind = {
  linkName: "dealer",
  socketType: "DEALER",
  peerTypes: new Set(["ROUTER", "REP", "DEALER"]),
  sendsPings: true,
};

export interface ZmtpDealerOptions extends DealerOptions {
  /** @defaultValue a dealer */
  readonly kind?: SendingKind;
}

export class ZmtpDealer implements DealerLink, ConnectionOwner {
  readonly #handlers: DealerHandlers;
  readonly #linkName: string;
  readonly #outbox: Outbox;
  readonly #dialer: Dialer;
  #onUpWhileClosing: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** @param outbox may hold messages already */
  constructor(handlers: DealerHandlers, options: ZmtpDealerOptions, outbox?: Outbox) {
    const { kind = DEALER } = options;
    if (kind === DEALER) routingIdBytes(options.routingId);
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#handlers = handlers;
    this.#linkName = kind.linkName;
    this.#outbox = outbox ?? new Outbox(limits);
    const settings: DialerSettings = {
      linkName: kind.linkName,
      metadata: { socketType: kind.socketType, routingId: options.routingId, retriesAfterError: true },
      mechanism: peerMechanism(options.security),
      peerTypes: kind.peerTypes,
      isActive: true,
      sendsPings: kind.sendsPings,
      limits,
      skipsOversized: handlers.onOversized !== undefined,
      pool: new BufferPool(),
      flusher: new Flusher(nextTick),
      receiving: new ReceiveBudget(limits),
      reconnectMs: options.reconnectMs,
      reconnectMaxMs: options.reconnectMaxMs,
    };
    this.#dialer = new Dialer(settings, this);
  }

  connect(address: string): void {
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the ${this.#linkName} is closed`, { address });
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
      const isUp = new Promise<void>((resolve) => {
        this.#onUpWhileClosing = resolve;
      });
      await withTimeout(isUp, lingerMs);
    }
    await this.#dialer.connection?.finish(Math.max(0, deadline - systemClock.now()));
    this.#dialer.stop();
    for (let frames = this.#outbox.shift(); frames !== undefined; frames = this.#outbox.shift()) {
      const undelivered = toBytes(frames);
      callHandler(() => this.#handlers.onUndelivered?.(undelivered));
    }
  }

  outboxForConnection(): Outbox {
    return this.#outbox;
  }

  onIntroduced(): undefined {}

  onUp({ announcement }: SocketConnection): void {
    this.#dialer.onUp();
    const facts = { ...this.#dialer.facts, ...(announcement !== undefined && { announcement }) };
    if (this.#closing === undefined) callHandler(() => this.#handlers.onUp?.(facts));
    this.#onUpWhileClosing?.();
  }

  onMessage(_connection: SocketConnection, frames: Frames): void {
    if (this.#closing !== undefined) return;
    try {
      this.#handlers.onMessage(frames);
    } catch (error) {
      throwAsync(error);
    }
  }

  onOversized(_connection: SocketConnection, message: OversizedMessage): void {
    if (this.#closing === undefined) callHandler(() => this.#handlers.onOversized?.(message));
  }

  onReceiving(): void {
    if (this.#closing === undefined) callHandler(() => this.#handlers.onReceiving?.());
  }

  onDrain(): void {
    callHandler(() => this.#handlers.onDrain?.());
  }

  onEnd(connection: SocketConnection, violation: Violation | undefined): void {
    this.#dialer.onEnd();
    if (this.#closing !== undefined) return;
    if (violation !== undefined)
      callHandler(() => this.#handlers.onRejected?.({ ...violation, ...this.#dialer.facts }));
    if (connection.wasUp) return callHandler(() => this.#handlers.onDown?.());
    callHandler(() => this.#handlers.onAttemptFailed?.(this.#dialer.failureOf(connection, violation)));
  }
}
