// What libzmq tells about a socket besides its messages: connections made and lost, listeners closed, and the end, when
// the last message has been written or its time to linger is over.

import type { Dealer, Event, Router, Subscriber, XPublisher } from "zeromq";
import { LONGEST_MS, orAfter } from "../or-after.ts";
import { surface } from "../surface.ts";

/** zeromq.js may need some tries: see `observe`. */
const TRIES = 20;
/** Milliseconds that the end of a socket may come later than its time to linger. */
const END_GRACE_MS = 100;

/** The sockets that our links are made of. */
export type LinkSocket = Router | Dealer | XPublisher | Subscriber;

export class Monitor {
  readonly #socket: LinkSocket;
  readonly #observer: Router["events"];
  /** Resolves when nothing more will be told. */
  readonly ended: Promise<void>;

  /** Events before this call are not told: watch before binding or connecting. `onEvent` is called later, never here. */
  constructor(socket: LinkSocket, onEvent: (event: Event) => void) {
    this.#socket = socket;
    this.#observer = observe(socket);
    this.ended = this.#watch(onEvent);
  }

  /** Closes the socket. Resolves when everything that it had taken is written, or the time for it is over. */
  async closeSocket(lingerMs: number): Promise<void> {
    const remainingMs = Math.min(Math.max(0, Math.ceil(lingerMs)), LONGEST_MS);
    this.#socket.linger = remainingMs;
    this.#socket.close();
    // Nobody may close the observer before the end: libzmq's thread would wait for it for ever with the next event.
    await orAfter(remainingMs + END_GRACE_MS, this.ended);
  }

  async #watch(onEvent: (event: Event) => void): Promise<void> {
    for (;;) {
      let event: Event;
      try {
        event = await this.#observer.receive();
      } catch {
        return; // closed, which is an end too
      }
      if (event.type === "end") return;
      try {
        onEvent(event);
      } catch (error) {
        surface(error);
      }
    }
  }
}

/**
 * zeromq.js names the channel of a socket's events by a place in memory, which may be that of an earlier socket whose
 * channel libzmq has not taken down yet. Every try takes another place.
 */
function observe(socket: LinkSocket): Router["events"] {
  for (let tries = 1; ; tries++) {
    try {
      return socket.events;
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}
