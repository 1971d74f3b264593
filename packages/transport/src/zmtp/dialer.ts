// A dealer's or a subscriber's way to its address: one connection at a time, and the next after a pause, until it is
// stopped.

import { connect, type OnReadOpts } from "node:net";
import { systemClock } from "../clock.ts";
import { LinkError, type PeerFacts } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import { Backoff } from "./backoff.ts";
import { Connection, type ConnectionOwner, type ConnectionSettings } from "./connection.ts";
import { type Endpoint, endpointToConnect, remoteAddress } from "./endpoints.ts";

/** What one read takes, into the same memory every time. */
const READ_BYTES = 64 * 1024;

export interface DialerSettings extends ConnectionSettings {
  /** Milliseconds before the first attempt to reconnect, and what no pause exceeds. */
  readonly reconnectMs: number | undefined;
  readonly reconnectMaxMs: number | undefined;
}

export class Dialer {
  /** The one there is, or that is being made. */
  connection: Connection | undefined;
  /** What is known of the other end that is there, or was last. */
  facts: PeerFacts = {};
  readonly #what: string;
  readonly #outbox: Outbox;
  readonly #settings: ConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #backoff: Backoff;
  readonly #retry = systemClock.alarm(() => this.#attempt());
  #endpoint: Endpoint | undefined;
  #address = "";
  #readBuffer: Buffer | undefined;
  #isStopped = false;

  /**
   * @param what dials, as errors name it
   * @param outbox what waits, for whichever connection is there
   * @param owner has to pass on that a connection is up and that it has ended
   */
  constructor(what: "dealer" | "subscriber", outbox: Outbox, settings: DialerSettings, owner: ConnectionOwner) {
    const { reconnectMs = 100, reconnectMaxMs = 5000 } = settings;
    this.#what = what;
    this.#outbox = outbox;
    this.#settings = settings;
    this.#owner = owner;
    this.#backoff = new Backoff(reconnectMs, reconnectMaxMs, Math.random);
  }

  /** Once. @throws LinkError for an address that it cannot read, and for a second one */
  connect(address: string): void {
    const endpoint = endpointToConnect(address);
    if (this.#endpoint !== undefined) {
      const message = `cannot connect to ${address}: the ${this.#what} connects to ${this.#address} already`;
      throw new LinkError("FAILED", message, { address });
    }
    this.#endpoint = endpoint;
    this.#address = address;
    this.#attempt();
  }

  /** The connection is up: the next pause is a short one. */
  onUp(): void {
    this.#backoff.reset();
  }

  /** The connection has ended. */
  onEnd(): void {
    this.connection = undefined;
    if (!this.#isStopped) this.#retry.set(systemClock.now() + this.#backoff.next());
  }

  /** No more attempts. The connection there is stays. */
  stop(): void {
    this.#isStopped = true;
    this.#retry.set(undefined);
  }

  #attempt(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined || this.#isStopped) return;
    this.#readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const buffer = this.#readBuffer;
    const onread: OnReadOpts = { buffer, callback: (bytes) => connection.onData(buffer.subarray(0, bytes), false) };
    const socket = connect({ ...endpoint, onread, noDelay: true, keepAlive: true });
    const connection = new Connection(socket, this.#outbox, this.#settings, this.#owner);
    this.connection = connection;
    socket.once("connect", () => {
      const address = remoteAddress(socket);
      this.facts = { remoteAddress: address ?? this.#address };
      connection.greet();
    });
  }
}
