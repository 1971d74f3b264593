// Where a router or a publisher listens, at any number of addresses, and everybody who came in by them, named or not.
// Whoever is one too many is turned away before anything is read. Those who are in stay when their address is unbound.

import { createServer, type Server, type Socket } from "node:net";
import { refusal } from "../addresses.ts";
import { LinkError, type PeerFacts, type Refusal } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import { Connection, type ConnectionOwner, type ConnectionSettings } from "./connection.ts";
import { boundAddress, endpointToBind, remoteAddress } from "./endpoints.ts";

/** Milliseconds of silence after which the kernel asks whether the other host is there. */
const KEEPALIVE_MS = 10_000;

export interface AcceptorOwner extends ConnectionOwner {
  /** Where what waits for a newcomer is kept. */
  newOutbox(): Outbox;
  /** Somebody was turned away. */
  onTurnedAway(refusal: Refusal): void;
}

export class Acceptor {
  readonly #what: string;
  readonly #settings: ConnectionSettings;
  readonly #owner: AcceptorOwner;
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Map<Connection, PeerFacts>();
  #isClosed = false;

  /** @param what it listens for, as errors name it */
  constructor(what: "router" | "publisher", settings: ConnectionSettings, owner: AcceptorOwner) {
    this.#what = what;
    this.#settings = settings;
    this.#owner = owner;
  }

  /** @returns the address as bound. @throws LinkError (rejects) when it cannot be bound */
  async bind(address: string): Promise<string> {
    const endpoint = await endpointToBind(address);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, (socket) =>
      this.#onSocket(socket),
    );
    if (this.#isClosed) throw this.#closedError(address);
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(refusal(address, error)));
      server.listen(endpoint, resolve);
    });
    // Accepting may fail later, for want of file descriptors; peers try again.
    server.on("error", () => {});
    if (this.#isClosed) {
      server.close();
      throw this.#closedError(address);
    }
    const bound = boundAddress(server);
    this.#servers.set(bound, server);
    return bound;
  }

  /** @throws LinkError for what is not bound */
  unbind(address: string): void {
    const server = this.#servers.get(address);
    if (server === undefined) {
      throw new LinkError("ADDRESS_INVALID", `${address} is not bound`, { address });
    }
    this.#servers.delete(address);
    // Stops listening at once; what it would wait for are the connections, which stay.
    server.close();
  }

  /** What is known of a connection, until it is forgotten. */
  factsOf(connection: Connection): PeerFacts {
    return this.#connections.get(connection) ?? {};
  }

  /** A connection has ended: there is room for another. */
  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  /** Frees all addresses, writes what waits for at most `lingerMs`, and ends all connections. */
  async close(lingerMs: number): Promise<void> {
    this.#isClosed = true;
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    await Promise.all(Array.from(this.#connections.keys(), (connection) => connection.finish(lingerMs)));
  }

  #onSocket(socket: Socket): void {
    const address = remoteAddress(socket);
    const facts: PeerFacts = address === undefined ? {} : { remoteAddress: address };
    if (this.#isClosed) return void socket.destroy();
    const { maxPeers } = this.#settings.limits;
    if (this.#connections.size >= maxPeers) {
      socket.destroy();
      return this.#owner.onTurnedAway({ code: "TOO_MANY_PEERS", detail: `there are ${maxPeers} already`, ...facts });
    }
    const connection = new Connection(socket, this.#owner.newOutbox(), this.#settings, this.#owner);
    this.#connections.set(connection, facts);
    socket.on("data", (chunk: Buffer) => connection.onData(chunk, true));
    connection.greet();
  }

  #closedError(address: string): LinkError {
    return new LinkError("CLOSED", `cannot bind ${address}: the ${this.#what} is closed`, { address });
  }
}
