// Listens for a router or a publisher on any number of addresses, and holds the accepted connections. A connection above the
// bound is closed before anything is read. Connections stay open when their address is unbound.

import { createServer, type Server, type Socket } from "node:net";
import { bindError } from "../addresses.ts";
import { bindPath } from "../ipc-path.ts";
import { type ConnectionRejection, LinkError, type PeerFacts } from "../link.ts";
import { boundAddress, type Endpoint, endpointToBind, remoteAddress } from "./endpoints.ts";
import { type ConnectionOwner, type ConnectionSettings, SocketConnection } from "./socket-connection.ts";

/** Milliseconds of silence after which the kernel sends a keepalive probe. */
const KEEPALIVE_MS = 10_000;

export interface AcceptorOwner extends ConnectionOwner {
  /** A connection was closed before anything was read. */
  onRejectedConnection(rejection: ConnectionRejection): void;
}

export class Acceptor {
  readonly #settings: ConnectionSettings;
  readonly #owner: AcceptorOwner;
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Map<SocketConnection, PeerFacts>();
  #isClosed = false;

  constructor(settings: ConnectionSettings, owner: AcceptorOwner) {
    this.#settings = settings;
    this.#owner = owner;
  }

  /** @returns the address as bound. @throws LinkError (rejects) when it cannot be bound */
  async bind(address: string): Promise<string> {
    const endpoint = endpointToBind(address);
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS }, (socket) =>
      this.#onSocket(socket),
    );
    if (this.#isClosed) throw this.#closedError(address);
    await bindPath(address, () => listening(server, endpoint, address));
    // Accepting may fail later, without file descriptors. Peers try again.
    server.on("error", () => {});
    if (this.#isClosed) {
      server.close();
      throw this.#closedError(address);
    }
    const bound = boundAddress(server);
    this.#servers.set(bound, server);
    return bound;
  }

  /** @throws LinkError for an address that is not bound */
  unbind(address: string): void {
    const server = this.#servers.get(address);
    if (server === undefined) {
      throw new LinkError("ADDRESS_INVALID", `cannot unbind ${address}: it is not bound`, { address });
    }
    this.#servers.delete(address);
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
  }

  /** Frees all addresses, writes what waits, for at most `lingerMs`, and ends all connections. */
  async close(lingerMs: number): Promise<void> {
    this.#isClosed = true;
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
    this.#settings.authenticator?.close();
    await Promise.all(Array.from(this.#connections.keys(), (connection) => connection.finish(lingerMs)));
  }

  #onSocket(socket: Socket): void {
    const address = remoteAddress(socket);
    const facts: PeerFacts = address === undefined ? {} : { remoteAddress: address };
    if (this.#isClosed) return void socket.destroy();
    const { maxPeers } = this.#settings.limits;
    if (this.#connections.size >= maxPeers) {
      socket.destroy();
      return this.#owner.onRejectedConnection({
        code: "TOO_MANY_PEERS",
        detail: `${maxPeers} peers are connected`,
        ...facts,
      });
    }
    const connection = new SocketConnection(socket, this.#settings, this.#owner);
    this.#connections.set(connection, facts);
    socket.on("data", (chunk: Buffer) => connection.onData(chunk, true));
    connection.greet();
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
