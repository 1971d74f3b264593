// Listens for a router or a publisher on any number of addresses, and holds the accepted connections. A connection above a bound is
// closed before anything is read. Connections stay open when their address is unbound.

import { createServer, type Server, type Socket } from "node:net";
import { acceptFailure, bindError } from "../addresses.ts";
import { systemClock } from "../clock.ts";
import { descriptorLimit, descriptorOf, descriptorShortage } from "../descriptors.ts";
import { bindPath } from "../ipc-path.ts";
import { type ConnectionRejection, LinkError, type PeerFacts } from "../link.ts";
import { setImmediate } from "../timers.ts";
import { ConnectionBounds, EVICTION_AGE_MS } from "./connection-bounds.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { boundAddress, type Endpoint, endpointToBind, remoteAddress } from "./endpoints.ts";
import { type ConnectionOwner, SocketConnection } from "./socket-connection.ts";
import type { Violation } from "./wire.ts";

/** Milliseconds of silence after which the kernel sends a keepalive probe. */
const KEEPALIVE_MS = 10_000;

/** Milliseconds between two checks that a file descriptor is left. */
const PROBE_MS = 5_000;

const EVICTED: Violation = Object.freeze({
  code: "IDLE",
  detail: `it sent no message within ${EVICTION_AGE_MS} ms, and made room for another connection`,
});

export interface AcceptorOwner extends ConnectionOwner {
  /** A connection was closed before anything was read. */
  onRejectedConnection(rejection: ConnectionRejection): void;
}

export class Acceptor {
  readonly #settings: ConnectionSettings;
  readonly #owner: AcceptorOwner;
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Map<SocketConnection, PeerFacts>();
  readonly #bounds: ConnectionBounds<SocketConnection>;
  /** Rings after waiting data was read, because a blocked event loop delays that as well. */
  readonly #expiry = systemClock.alarm(() => setImmediate(() => this.#expire()));
  readonly #probe = systemClock.alarm(() => this.#onProbe());
  #isClosed = false;

  constructor(settings: ConnectionSettings, owner: AcceptorOwner) {
    this.#settings = settings;
    this.#owner = owner;
    this.#bounds = new ConnectionBounds(settings.limits, descriptorLimit());
  }

  /** @returns the address as bound. @throws LinkError (rejects) when it cannot be bound */
  async bind(address: string): Promise<string> {
    const endpoint = endpointToBind(address);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, (socket) =>
      this.#onSocket(socket),
    );
    if (this.#isClosed) throw this.#closedError(address);
    await bindPath(address, () => listening(server, endpoint, address));
    if (this.#isClosed) {
      server.close();
      throw this.#closedError(address);
    }
    const bound = boundAddress(server);
    server.on("error", (error) => this.#onAcceptFailed(bound, error));
    this.#servers.set(bound, server);
    this.#probe.set(systemClock.now() + PROBE_MS);
    return bound;
  }

  /** @throws LinkError for an address that is not bound */
  unbind(address: string): void {
    const server = this.#servers.get(address);
    if (server === undefined) {
      throw new LinkError("ADDRESS_INVALID", `cannot unbind ${address}: it is not bound`, { address });
    }
    this.#servers.delete(address);
    if (this.#servers.size === 0) this.#probe.set(undefined);
    // It stops listening at once; its callback would wait for the connections, which stay.
    server.close();
  }

  /** What is known of a connection, until it is removed. */
  factsOf(connection: SocketConnection): PeerFacts {
    return this.#connections.get(connection) ?? {};
  }

  /** The connection has ended. */
  remove(connection: SocketConnection): void {
    this.#connections.delete(connection);
    this.#bounds.remove(connection);
  }

  /** Frees all addresses, writes what waits, for at most `lingerMs`, and ends all connections. */
  async close(lingerMs: number): Promise<void> {
    this.#isClosed = true;
    this.#expiry.set(undefined);
    this.#probe.set(undefined);
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    this.#settings.authenticator?.close();
    await Promise.all(Array.from(this.#connections.keys(), (connection) => connection.finish(lingerMs)));
  }

  #onSocket(socket: Socket): void {
    const address = remoteAddress(socket);
    const facts: PeerFacts = address === undefined ? {} : { remoteAddress: address };
    if (this.#isClosed) return void socket.destroy();
    const now = systemClock.now();
    const arrival = { host: socket.remoteAddress, descriptor: descriptorOf(socket) };
    const { rejection, evicted } = this.#bounds.accept(arrival, now);
    evicted?.destroy(EVICTED);
    if (rejection !== undefined) {
      socket.destroy();
      return this.#owner.onRejectedConnection({ ...rejection, ...facts });
    }
    const connection = new SocketConnection(socket, this.#settings, this.#owner);
    this.#connections.set(connection, facts);
    this.#bounds.add(connection, arrival, now);
    this.#expiry.set(this.#bounds.nextExpiry);
    socket.on("data", (chunk: Buffer) => connection.onData(chunk, true));
    connection.greet();
  }

  #expire(): void {
    if (this.#isClosed) return;
    const { idleConnectionMs } = this.#settings.limits;
    const detail = `it sent no message within ${idleConnectionMs} ms (idleConnectionMs)`;
    for (const connection of this.#bounds.expire(systemClock.now())) connection.destroy({ code: "IDLE", detail });
    this.#expiry.set(this.#bounds.nextExpiry);
  }

  /** If the rest of this process has taken all file descriptors, Node closes new connections without an event. */
  #onProbe(): void {
    const shortage = descriptorShortage();
    if (shortage !== undefined) {
      for (const address of this.#servers.keys()) this.#onAcceptFailed(address, shortage);
    }
    this.#probe.set(systemClock.now() + PROBE_MS);
  }

  /** Node reports a failure to accept only if it cannot close the new connection either. */
  #onAcceptFailed(localAddress: string, error: Error): void {
    this.#owner.onRejectedConnection({ ...acceptFailure(error), localAddress });
  }

  #closedError(address: string): LinkError {
    return new LinkError("CLOSED", `cannot bind ${address}: the ${this.#settings.linkName} is closed`, { address });
  }
}

/** Exclusive: in a `node:cluster`, Node would otherwise give the same socket to every process that binds the address. */
function listening(server: Server, endpoint: Endpoint, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(bindError(address, error)));
    server.listen({ ...endpoint, exclusive: true }, resolve);
  });
}
