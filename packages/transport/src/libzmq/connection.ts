// A dealer's or a subscriber's connection, as libzmq tells of it: there, lost, and there again.
//
// libzmq comes back by itself after it lost a connection, and says that it will ("connect:retry"). After a breach of the
// protocol, such as a frame over the bound or a peer of the wrong kind, it says "disconnect" and nothing more, ever:
// then we start anew. A "disconnect" alone is no news, because libzmq tells it before it hands over the last messages.

import type { Dealer, Event, Subscriber } from "zeromq";
import { type Alarm, systemClock } from "../clock.ts";
import type { PeerFacts } from "../link.ts";
import { Monitor } from "./monitor.ts";

/** Milliseconds of silence after a "disconnect" before we start anew, at least; they double up to the longest pause. */
const SILENCE_MS = 200;

export interface ConnectionListener {
  onUp(facts: PeerFacts): void;
  /** All messages of the connection have been handed over to the socket. */
  onLost(): void;
}

export class Connection {
  readonly #socket: Dealer | Subscriber;
  readonly #longestPauseMs: number;
  readonly #listener: ConnectionListener;
  readonly #monitor: Monitor;
  readonly #silence: Alarm = systemClock.alarm(() => this.#onSilence());
  #pauseMs = SILENCE_MS;
  #address = "";

  constructor(socket: Dealer | Subscriber, longestPauseMs: number, listener: ConnectionListener) {
    this.#socket = socket;
    this.#longestPauseMs = Math.max(SILENCE_MS, longestPauseMs);
    this.#listener = listener;
    this.#monitor = new Monitor(socket, (event) => this.#onEvent(event));
  }

  /** Starts connecting. Throws what libzmq throws for an address that it cannot read. */
  connect(address: string): void {
    this.#socket.connect(address);
    this.#address = address;
  }

  /** Closes the socket with its connection; see `Monitor.closeSocket`. */
  closeSocket(lingerMs: number): Promise<void> {
    this.#silence.set(undefined);
    return this.#monitor.closeSocket(lingerMs);
  }

  #onEvent(event: Event): void {
    switch (event.type) {
      case "handshake":
        this.#pauseMs = SILENCE_MS;
        return this.#listener.onUp({ remoteAddress: event.address });
      case "disconnect":
        // Events of a socket that is being closed still come.
        if (!this.#socket.closed) this.#silence.set(systemClock.now() + this.#pauseMs);
        return;
      case "connect:retry":
        this.#silence.set(undefined);
        return this.#listener.onLost();
      default:
    }
  }

  #onSilence(): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#longestPauseMs);
    this.#listener.onLost();
    this.#socket.disconnect(this.#address);
    this.#socket.connect(this.#address);
  }
}
