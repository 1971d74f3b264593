// A dealer's or a subscriber's connection, as libzmq tells of it: there, lost, and there again.
//
// libzmq comes back by itself after it lost a connection, and says that it will ("connect:retry"). After a breach of the
// protocol, such as a frame over the bound or a peer of the wrong kind, it says "disconnect" and nothing more, ever:
// then we start anew. A "disconnect" alone is no news, because libzmq tells it before it hands over the last messages.

import type { Dealer, Event, Subscriber } from "zeromq";
import { type Alarm, systemClock } from "../clock.ts";
import type { PeerFacts, Refusal } from "../link.ts";
import type { Mechanism } from "../security/applicant.ts";
import { Monitor } from "./monitor.ts";
import { refusedThere } from "./refusals.ts";

/** Milliseconds of silence after a "disconnect" before we start anew, at least; they double up to the longest pause. */
const SILENCE_MS = 200;

export interface ConnectionListener {
  onUp(facts: PeerFacts): void;
  /** All messages of the connection have been handed over to the socket. */
  onLost(): void;
  /** The other end did not let us in, or is not whom it should be. */
  onRefused(refusal: Refusal): void;
}

export class Connection {
  readonly #socket: Dealer | Subscriber;
  readonly #longestPauseMs: number;
  readonly #mechanism: Mechanism;
  readonly #listener: ConnectionListener;
  readonly #monitor: Monitor;
  readonly #silence: Alarm = systemClock.alarm(() => this.#onSilence());
  #pauseMs = SILENCE_MS;
  #address = "";

  /** @param mechanism what this end uses */
  constructor(socket: Dealer | Subscriber, longestPauseMs: number, mechanism: Mechanism, listener: ConnectionListener) {
    this.#socket = socket;
    this.#mechanism = mechanism;
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
      default: {
        const refusal = refusedThere(event, this.#mechanism);
        if (refusal !== undefined && !this.#socket.closed) this.#listener.onRefused(refusal);
      }
    }
  }

  #onSilence(): void {
    this.#pauseMs = Math.min(this.#pauseMs * 2, this.#longestPauseMs);
    this.#listener.onLost();
    this.#socket.disconnect(this.#address);
    this.#socket.connect(this.#address);
  }
}
