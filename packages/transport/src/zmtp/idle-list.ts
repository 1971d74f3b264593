// Connections whose peers never sent a message, oldest first. A connection that sends its first message stays until the list is read, so
// messages cost nothing here, and each connection is examined once.

export interface PeerActivity {
  /** Whether the peer has sent a message or a subscription. */
  readonly hasSent: boolean;
  /** Whether a message is arriving. */
  readonly isReceiving: boolean;
}

export class IdleList<Connection extends PeerActivity> {
  /** Since when each is idle, in this order. */
  readonly #since = new Map<Connection, number>();

  /** The time of the oldest one, which may have sent since. */
  get firstSince(): number | undefined {
    return this.#since.values().next().value;
  }

  add(connection: Connection, now: number): void {
    this.#since.set(connection, now);
  }

  delete(connection: Connection): void {
    this.#since.delete(connection);
  }

  /** Removes the oldest one, if it has been idle for so long. @param ageMs more than 0 */
  take(now: number, ageMs: number): Connection | undefined {
    for (const [connection, since] of this.#since) {
      if (since + ageMs > now) return undefined;
      this.#since.delete(connection);
      if (connection.hasSent) continue;
      if (!connection.isReceiving) return connection;
      // A slow first message. Its own bounds apply while it lasts.
      this.#since.set(connection, now);
    }
    return undefined;
  }
}
