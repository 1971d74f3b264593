// A router over ZMTP: it listens at any number of addresses, and names each connection by the routing id that it claims.
// The first claim holds until that connection has ended; a later one is cut off before it is told READY, so that it tries
// again. A peer that claims none gets a name that starts with zero, which nobody can claim.
//
// Peers stay when the address that they came by is unbound.

import { createServer, type Server, type Socket } from "node:net";
import { refusal } from "../addresses.ts";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type LinkLimits,
  type PeerFacts,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { Outbox, type Tally } from "../outbox.ts";
import { surface } from "../surface.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Connection, type ConnectionOwner, type ConnectionSettings } from "./connection.ts";
import { boundAddress, endpointToBind, remoteAddress } from "./endpoints.ts";
import { Flusher } from "./flusher.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["DEALER", "REQ", "ROUTER"]);
/** Milliseconds of silence after which the kernel asks whether the other host is there. */
const KEEPALIVE_MS = 10_000;
const MAX_ROUTING_ID_BYTES = 255;

/** What the router's owner may know besides. */
export interface ZmtpRouterOptions extends RouterOptions {
  /** A routing id that nobody may claim here, because it has an owner elsewhere. */
  readonly isTaken?: (peer: string) => boolean;
}

export class ZmtpRouter implements RouterLink, ConnectionOwner {
  readonly #handlers: RouterHandlers;
  readonly #limits: LinkLimits;
  readonly #isTaken: (peer: string) => boolean;
  readonly #settings: ConnectionSettings;
  readonly #total: Tally = { bytes: 0, messages: 0 };
  readonly #servers = new Map<string, Server>();
  /** Every connection, also those without a name yet, and what is known of it. */
  readonly #connections = new Map<Connection, PeerFacts>();
  /** Those that have introduced themselves, by name, until their end is told. */
  readonly #peers = new Map<string, Connection>();
  #namesGiven = 0;
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: ZmtpRouterOptions = {}) {
    this.#handlers = handlers;
    this.#limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#isTaken = options.isTaken ?? (() => false);
    this.#settings = {
      socketType: "ROUTER",
      peerTypes: PEER_TYPES,
      routingId: "",
      isActive: false,
      limits: this.#limits,
      pool: new BufferPool(),
      flusher: new Flusher(setImmediate),
    };
  }

  async bind(address: string): Promise<string> {
    const endpoint = await endpointToBind(address);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, (socket) =>
      this.#onSocket(socket),
    );
    if (this.#closing !== undefined) throw closedError(address);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(refusal(address, error)));
      server.listen(endpoint, resolve);
    });
    // Accepting may fail later, for want of file descriptors; peers try again.
    server.on("error", () => {});
    if (this.#closing !== undefined) {
      server.close();
      throw closedError(address);
    }
    const bound = boundAddress(server);
    this.#servers.set(bound, server);
    return bound;
  }

  async unbind(address: string): Promise<void> {
    const server = this.#servers.get(address);
    if (server === undefined) {
      throw new LinkError("ADDRESS_INVALID", `${address} is not bound`, { address });
    }
    this.#servers.delete(address);
    // Stops listening at once; what it would wait for are the connections, which stay.
    server.close();
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
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs: number): Promise<void> {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    await Promise.all(Array.from(this.#connections.keys(), (connection) => connection.finish(lingerMs)));
  }

  #onSocket(socket: Socket): void {
    const address = remoteAddress(socket);
    const facts: PeerFacts = address === undefined ? {} : { remoteAddress: address };
    if (this.#closing !== undefined) return void socket.destroy();
    if (this.#connections.size >= this.#limits.maxPeers) {
      socket.destroy();
      const violation: Violation = { code: "TOO_MANY_PEERS", detail: `there are ${this.#limits.maxPeers} already` };
      return this.#call(() => this.#handlers.onRefused?.({ ...violation, ...facts }, undefined));
    }
    const connection = new Connection(socket, new Outbox(this.#limits, this.#total), this.#settings, this);
    this.#connections.set(connection, facts);
    socket.on("data", (chunk: Buffer) => connection.onData(chunk, true));
    connection.greet();
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
    const facts = this.#connections.get(connection) ?? {};
    this.#call(() => this.#handlers.onPeerUp?.(connection.name, facts));
  }

  onMessage(connection: Connection, frames: Frames): void {
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
    const facts = this.#connections.get(connection) ?? {};
    const peer = connection.name === "" ? undefined : connection.name;
    this.#connections.delete(connection);
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

function closedError(address: string): LinkError {
  return new LinkError("CLOSED", `cannot bind ${address}: the router is closed`, { address });
}
