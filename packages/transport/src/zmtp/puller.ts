// A PULL socket over ZMTP that listens. While its owner takes no messages it reads from no connection, so that the peers wait.

import { callHandler, throwAsync } from "../handlers.ts";
import { type ConnectionRejection, DEFAULT_LINK_LIMITS, type Frames, type LinkLimits } from "../link.ts";
import { Outbox } from "../outbox.ts";
import { setImmediate } from "../timers.ts";
import { Acceptor, type AcceptorOwner } from "./acceptor.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import { listenerMechanism } from "./mechanism/select.ts";
import type { SocketConnection } from "./socket-connection.ts";
import { ReceiveBudget } from "./unfinished.ts";
import type { Violation } from "./wire.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["PUSH"]);

export interface PullerHandlers {
  /**
   * @returns whether to continue. If not, nothing is read until `resume()`, but each connection may still deliver one message: the one
   * that it is in, or its first.
   */
  onMessage(frames: Frames): boolean;
  /** A peer was rejected or disconnected. */
  onRejected?(rejection: ConnectionRejection): void;
}

export class ZmtpPuller implements AcceptorOwner {
  readonly #handlers: PullerHandlers;
  readonly #limits: LinkLimits;
  readonly #acceptor: Acceptor;
  /** Established connections. The one that filled the owner last is read last after `resume()`. */
  readonly #connections = new Set<SocketConnection>();
  #isHeld = false;
  #closing: Promise<void> | undefined;

  constructor(handlers: PullerHandlers, limits: Partial<LinkLimits> = {}) {
    this.#handlers = handlers;
    this.#limits = { ...DEFAULT_LINK_LIMITS, ...limits };
    const settings: ConnectionSettings = {
      linkName: "puller",
      metadata: { socketType: "PULL", routingId: "" },
      mechanism: listenerMechanism(undefined),
      peerTypes: PEER_TYPES,
      isActive: false,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
      receiving: new ReceiveBudget(this.#limits),
    };
    this.#acceptor = new Acceptor(settings, this);
  }

  /** Listens. @returns the address with the real port. Rejects with a LinkError if it cannot be bound */
  bind(address: string): Promise<string> {
    return this.#acceptor.bind(address);
  }

  /** Reads from all connections again. */
  resume(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    for (const connection of this.#connections) connection.release();
  }

  /** Closes and frees its addresses. Messages in transit are lost. Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#acceptor.close(0);
    return this.#closing;
  }

  /** A puller sends no messages. */
  outboxForConnection(): Outbox {
    return new Outbox(this.#limits);
  }

  onRejectedConnection(rejection: ConnectionRejection): void {
    callHandler(() => this.#handlers.onRejected?.(rejection));
  }

  onIntroduced(): undefined {}

  onUp(connection: SocketConnection): void {
    this.#connections.add(connection);
    if (this.#isHeld) connection.hold();
  }

  onMessage(connection: SocketConnection, frames: Frames): void {
    try {
      if (this.#handlers.onMessage(frames)) return;
    } catch (error) {
      return throwAsync(error);
    }
    this.#hold(connection);
  }

  onDrain(): void {}

  onEnd(connection: SocketConnection, violation: Violation | undefined): void {
    const facts = this.#acceptor.factsOf(connection);
    this.#acceptor.remove(connection);
    this.#connections.delete(connection);
    if (violation === undefined || this.#closing !== undefined) return;
    callHandler(() => this.#handlers.onRejected?.({ ...violation, ...facts }));
  }

  #hold(last: SocketConnection): void {
    if (this.#isHeld) return last.hold();
    this.#isHeld = true;
    this.#connections.delete(last);
    this.#connections.add(last);
    for (const connection of this.#connections) connection.hold();
  }
}
