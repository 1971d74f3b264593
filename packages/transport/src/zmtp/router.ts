// A router over ZMTP. It names each connection by the routing id that the peer claims. The first claim holds until that
// connection has ended; a connection with a later claim is closed before it gets READY, so that the peer tries again. A peer
// without a routing id gets a name that starts with zero, which no peer can claim.

import { type FramesToSend, toBytes } from "../byte-strings.ts";
import { systemClock } from "../clock.ts";
import { callHandler, throwAsync } from "../handlers.ts";
import {
  type ConnectionRejection,
  DEFAULT_LINK_LIMITS,
  type Frames,
  type LinkLimits,
  type OversizedMessage,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { Outbox } from "../outbox.ts";
import { Holding, SendBudget } from "../send-budget.ts";
import { setImmediate } from "../timers.ts";
import { Acceptor, type AcceptorOwner } from "./acceptor.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { Flusher } from "./flusher.ts";
import { BufferPool } from "./frame-writer.ts";
import { authenticatorOf } from "./link-authenticator.ts";
import { listenerMechanism } from "./mechanism/select.ts";
import type { SocketConnection } from "./socket-connection.ts";
import { Spin } from "./spin.ts";
import { ReceiveBudget } from "./unfinished.ts";
import type { Violation } from "./wire.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["DEALER", "REQ", "ROUTER"]);
const MAX_ROUTING_ID_BYTES = 255;

export interface ZmtpRouterOptions extends RouterOptions {
  /** Whether a routing id belongs to a peer of another router that shares the name space. */
  readonly isTaken?: (peer: string) => boolean;
}

export class ZmtpRouter implements RouterLink, AcceptorOwner {
  readonly #handlers: RouterHandlers;
  readonly #limits: LinkLimits;
  readonly #isTaken: (peer: string) => boolean;
  readonly #sending: SendBudget;
  readonly #acceptor: Acceptor;
  readonly #spin: Spin;
  /** Peers that have introduced themselves, by name, until their end is reported. */
  readonly #peers = new Map<string, SocketConnection>();
  #generatedNames = 0;
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: ZmtpRouterOptions = {}) {
    this.#handlers = handlers;
    this.#limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#sending = new SendBudget(this.#limits);
    this.#isTaken = options.isTaken ?? (() => false);
    const settings: ConnectionSettings = {
      linkName: "router",
      metadata: {
        socketType: "ROUTER",
        routingId: "",
        ...(options.announcement !== undefined && { announcement: options.announcement }),
      },
      mechanism: listenerMechanism(options.security),
      authenticator: authenticatorOf(options.security),
      peerTypes: PEER_TYPES,
      isActive: false,
      limits: this.#limits,
      skipsOversized: handlers.onOversized !== undefined,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
      receiving: new ReceiveBudget(this.#limits),
    };
    this.#acceptor = new Acceptor(settings, this);
    this.#spin = new Spin(options.spinMs ?? 0, systemClock, setImmediate);
  }

  bind(address: string): Promise<string> {
    return this.#acceptor.bind(address);
  }

  async unbind(address: string): Promise<void> {
    this.#acceptor.unbind(address);
  }

  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    const connection = this.#peers.get(peer);
    if (connection === undefined || !connection.isUp || this.#closing !== undefined) return "unreachable";
    return connection.send(frames, options?.urgent ?? false);
  }

  /** Whether a connected peer has this name. */
  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#acceptor.close(lingerMs);
    return this.#closing;
  }

  outboxForConnection(connection: SocketConnection): Outbox {
    return new Outbox(this.#limits, new Holding(this.#sending, (violation) => connection.destroy(violation)));
  }

  onRejectedConnection(rejection: ConnectionRejection): void {
    callHandler(() => this.#handlers.onRejected?.(rejection, undefined));
  }

  onIntroduced(connection: SocketConnection, routingId: string): Violation | undefined {
    if (routingId.length > MAX_ROUTING_ID_BYTES || routingId.startsWith("\0")) {
      const detail = `an invalid routing id: it has ${routingId.length} bytes, or starts with zero`;
      return { code: "ROUTING_ID", detail };
    }
    const name = routingId === "" ? this.#newName() : routingId;
    if (this.#peers.has(name) || this.#isTaken(name)) {
      return { code: "ROUTING_ID", detail: "the routing id belongs to another connection" };
    }
    connection.name = name;
    this.#peers.set(name, connection);
    return undefined;
  }

  onUp(connection: SocketConnection): void {
    const { identity } = connection;
    const facts = { ...this.#acceptor.factsOf(connection), ...(identity !== "" && { identity }) };
    callHandler(() => this.#handlers.onPeerUp?.(connection.name, facts));
  }

  onMessage(connection: SocketConnection, frames: Frames): void {
    this.#spin.onMessage();
    try {
      this.#handlers.onMessage(connection.name, frames);
    } catch (error) {
      throwAsync(error);
    }
  }

  onOversized(connection: SocketConnection, message: OversizedMessage): void {
    callHandler(() => this.#handlers.onOversized?.(connection.name, message));
  }

  onReceiving(connection: SocketConnection): void {
    callHandler(() => this.#handlers.onReceiving?.(connection.name));
  }

  onDrain(connection: SocketConnection): void {
    callHandler(() => this.#handlers.onDrain?.(connection.name));
  }

  onEnd(connection: SocketConnection, violation: Violation | undefined): void {
    const facts = this.#acceptor.factsOf(connection);
    const peer = connection.name === "" ? undefined : connection.name;
    this.#acceptor.remove(connection);
    if (peer !== undefined) this.#peers.delete(peer);
    const { outbox } = connection;
    for (let frames = outbox.shift(); frames !== undefined; frames = outbox.shift()) {
      const undelivered = toBytes(frames);
      callHandler(() => this.#handlers.onUndelivered?.(connection.name, undelivered));
    }
    if (this.#closing !== undefined) return;
    if (violation !== undefined) callHandler(() => this.#handlers.onRejected?.({ ...violation, ...facts }, peer));
    if (peer !== undefined) callHandler(() => this.#handlers.onPeerDown?.(peer));
  }

  #newName(): string {
    this.#generatedNames += 1;
    const name = Buffer.alloc(7);
    name.writeUIntBE(this.#generatedNames, 1, 6);
    return name.toString("latin1");
  }
}
