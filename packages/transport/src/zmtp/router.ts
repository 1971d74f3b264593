// A router over ZMTP: it listens at any number of addresses, and names each connection by the routing id that it claims.
// The first claim holds until that connection has ended; a later one is cut off before it is told READY, so that it tries
// again. A peer that claims none gets a name that starts with zero, which nobody can claim.

import { systemClock } from "../clock.ts";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  type LinkLimits,
  type Refusal,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { Outbox, type Tally } from "../outbox.ts";
import { surface } from "../surface.ts";
import { Acceptor, type AcceptorOwner } from "./acceptor.ts";
import { BufferPool } from "./buffer-pool.ts";
import type { Connection, ConnectionSettings } from "./connection.ts";
import { Flusher } from "./flusher.ts";
import { Spin } from "./spin.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["DEALER", "REQ", "ROUTER"]);
const MAX_ROUTING_ID_BYTES = 255;

/** What the router's owner may know besides. */
export interface ZmtpRouterOptions extends RouterOptions {
  /** A routing id that nobody may claim here, because it has an owner elsewhere. */
  readonly isTaken?: (peer: string) => boolean;
}

export class ZmtpRouter implements RouterLink, AcceptorOwner {
  readonly #handlers: RouterHandlers;
  readonly #limits: LinkLimits;
  readonly #isTaken: (peer: string) => boolean;
  readonly #total: Tally = { bytes: 0, messages: 0 };
  readonly #acceptor: Acceptor;
  readonly #spin: Spin;
  /** Those that have introduced themselves, by name, until their end is told. */
  readonly #peers = new Map<string, Connection>();
  #namesGiven = 0;
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: ZmtpRouterOptions = {}) {
    this.#handlers = handlers;
    this.#limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#isTaken = options.isTaken ?? (() => false);
    const settings: ConnectionSettings = {
      socketType: "ROUTER",
      peerTypes: PEER_TYPES,
      routingId: "",
      isActive: false,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
    };
    this.#acceptor = new Acceptor("router", settings, this);
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

  /** Whether a connection has this name. */
  has(peer: string): boolean {
    return this.#peers.has(peer);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#acceptor.close(lingerMs);
    return this.#closing;
  }

  newOutbox(): Outbox {
    return new Outbox(this.#limits, this.#total);
  }

  onTurnedAway(refusal: Refusal): void {
    this.#call(() => this.#handlers.onRefused?.(refusal, undefined));
  }

  onReady(connection: Connection, routingId: string): Violation | undefined {
    if (routingId.length > MAX_ROUTING_ID_BYTES || routingId.startsWith("\0")) {
      return { code: "ROUTING_ID", detail: `a routing id of ${routingId.length} bytes, or one that starts with zero` };
    }
    const name = routingId === "" ? this.#newName() : routingId;
    if (this.#peers.has(name) || this.#isTaken(name)) {
      return { code: "ROUTING_ID", detail: "its routing id belongs to another connection" };
    }
    connection.name = name;
    this.#peers.set(name, connection);
    return undefined;
  }

  onUp(connection: Connection): void {
    const facts = this.#acceptor.factsOf(connection);
    this.#call(() => this.#handlers.onPeerUp?.(connection.name, facts));
  }

  onMessage(connection: Connection, frames: Frames): void {
    this.#spin.onHeard();
    try {
      this.#handlers.onMessage(connection.name, frames);
    } catch (error) {
      surface(error);
    }
  }

  onDrain(connection: Connection): void {
    this.#call(() => this.#handlers.onDrain?.(connection.name));
  }

  onEnd(connection: Connection, violation: Violation | undefined): void {
    const facts = this.#acceptor.factsOf(connection);
    const peer = connection.name === "" ? undefined : connection.name;
    this.#acceptor.forget(connection);
    if (peer !== undefined) this.#peers.delete(peer);
    const { outbox } = connection;
    for (let frames = outbox.shift(); frames !== undefined; frames = outbox.shift()) {
      const undelivered = asBytes(frames);
      this.#call(() => this.#handlers.onUndelivered?.(connection.name, undelivered));
    }
    if (this.#closing !== undefined) return;
    if (violation !== undefined) this.#call(() => this.#handlers.onRefused?.({ ...violation, ...facts }, peer));
    if (peer !== undefined) this.#call(() => this.#handlers.onPeerDown?.(peer));
  }

  #newName(): string {
    this.#namesGiven += 1;
    const name = Buffer.alloc(7);
    name.writeUIntBE(this.#namesGiven, 1, 6);
    return name.toString("latin1");
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
