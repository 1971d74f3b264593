// Connects a dealer or a subscriber to its address: one connection at a time, and the next one after a pause, until it is stopped.

import { connect } from "node:net";
import { rejectedError, unreachableError } from "../addresses.ts";
import { systemClock } from "../clock.ts";
import { LinkError, type PeerFacts } from "../link.ts";
import { Backoff } from "./backoff.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { type Endpoint, endpointToConnect, isSelfConnected, remoteAddress } from "./endpoints.ts";
import { ReadBuffers } from "./read-buffers.ts";
import { type ConnectionOwner, SocketConnection } from "./socket-connection.ts";
import type { Violation } from "./wire.ts";

const SELF_CONNECTED = "nothing listens at this port, and the connection reached its own socket";
const CLOSED_DURING_HANDSHAKE = "the peer closed the connection during the handshake";

export interface DialerSettings extends ConnectionSettings {
  /** Milliseconds before the first attempt to reconnect, and the longest pause. */
  readonly reconnectMs: number | undefined;
  readonly reconnectMaxMs: number | undefined;
}

export class Dialer {
  /** The connection, or the attempt in progress. */
  connection: SocketConnection | undefined;
  /** What is known of the current or last peer. */
  facts: PeerFacts = {};
  readonly #settings: ConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #backoff: Backoff;
  readonly #retry = systemClock.alarm(() => this.#attempt());
  #endpoint: Endpoint | undefined;
  #address = "";
  #readBuffers: ReadBuffers | undefined;
  #isStopped = false;

  /** @param owner must call `onUp` and `onEnd` when its connection is up or has ended */
  constructor(settings: DialerSettings, owner: ConnectionOwner) {
    const { reconnectMs = 100, reconnectMaxMs = 5000 } = settings;
    this.#settings = settings;
    this.#owner = owner;
    this.#backoff = new Backoff(reconnectMs, reconnectMaxMs, Math.random);
  }

  /** Starts to connect. @throws LinkError for an invalid address, and for a second call */
  connect(address: string): void {
    const endpoint = endpointToConnect(address);
    if (this.#endpoint !== undefined) {
      const { linkName } = this.#settings;
      const message = `cannot connect to ${address}: the ${linkName} already connects to ${this.#address}`;
      throw new LinkError("FAILED", message, { address });
    }
    this.#endpoint = endpoint;
    this.#address = address;
    this.#attempt();
  }

  /** The connection is up: the next pause is short. */
  onUp(): void {
    this.#backoff.reset();
  }

  /** The connection has ended. */
  onEnd(): void {
    this.connection = undefined;
    if (!this.#isStopped) this.#retry.set(systemClock.now() + this.#backoff.next());
  }

  /** Why an attempt that never was up has ended. */
  failureOf({ error }: SocketConnection, violation: Violation | undefined): LinkError {
    if (violation === undefined) return unreachableError(this.#address, error ?? CLOSED_DURING_HANDSHAKE);
    if (violation.code === "HANDSHAKE_TIMEOUT") return unreachableError(this.#address, violation.detail);
    return rejectedError(this.#address, violation);
  }

  /** Stops further attempts. The current connection stays. */
  stop(): void {
    this.#isStopped = true;
    this.#retry.set(undefined);
  }

  #attempt(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined || this.#isStopped) return;
    this.#readBuffers ??= new ReadBuffers();
    let opened: SocketConnection | undefined;
    const onread = this.#readBuffers.optionsFor(() => opened);
    const socket = connect({ ...endpoint, onread, noDelay: true, keepAlive: true });
    const connection = new SocketConnection(socket, this.#settings, this.#owner);
    opened = connection;
    this.connection = connection;
    socket.once("connect", () => {
      // It would keep the port from the broker, and read its own messages as those of the broker.
      if (isSelfConnected(socket)) {
        connection.error = new Error(SELF_CONNECTED);
        socket.resetAndDestroy();
        return;
      }
      const address = remoteAddress(socket);
      this.facts = { remoteAddress: address ?? this.#address };
      connection.greet();
    });
  }
}
