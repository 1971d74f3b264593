// libzmq's events of a socket: connections made and lost, listeners closed, and the end, when the last message has been
// written or the linger time is over.

import type { Dealer, Event, Router, Subscriber, XPublisher } from "zeromq";
import { MAX_TIMER_MS, withTimeout } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import { Turns } from "./turns.ts";

/** See `observe`. */
const MAX_ATTEMPTS = 20;
/** Milliseconds that the end may come later than the linger time. */
const END_GRACE_MS = 100;

/** The socket types of our links. */
export type LinkSocket = Router | Dealer | XPublisher | Subscriber;

export class Monitor {
  readonly #socket: LinkSocket;
  readonly #observer: Router["events"];
  /** Resolves after the last event. */
  readonly ended: Promise<void>;

  /** Events before this call are lost: create a monitor before binding or connecting. Never calls `onEvent` itself. */
  constructor(socket: LinkSocket, onEvent: (event: Event) => void) {
    this.#socket = socket;
    this.#observer = observe(socket);
    this.ended = this.#watch(onEvent);
  }

  /** Closes the socket. Resolves when its messages are written, or the linger time is over. */
  async closeSocket(lingerMs: number): Promise<void> {
    const remainingMs = Math.min(Math.max(0, Math.ceil(lingerMs)), MAX_TIMER_MS);
    this.#socket.linger = remainingMs;
    this.#socket.close();
    // Closing the observer before the end would block libzmq's thread for ever with its next event.
    await withTimeout(this.ended, remainingMs + END_GRACE_MS);
  }

  async #watch(onEvent: (event: Event) => void): Promise<void> {
    const turns = new Turns();
    for (;;) {
      let event: Event;
      try {
        event = await this.#observer.receive();
      } catch {
        return; // the observer is closed
      }
      if (event.type === "end") return;
      callHandler(() => onEvent(event));
      // Without file descriptors, libzmq reports a failure to accept for as long as a connection waits: many per millisecond.
      await turns.after(1);
    }
  }
}

/**
 * zeromq.js derives the address of a socket's event channel from a memory address. An earlier socket may have had the same one,
 * and libzmq may not have removed its channel yet. Each attempt gets another memory address.
 */
function observe(socket: LinkSocket): Router["events"] {
  for (let attempt = 1; ; attempt++) {
    try {
      return socket.events;
    } catch (error) {
      if (attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
