// The socket of a ZAP handler: where libzmq finds it, and nothing of what it says. A ROUTER, because it is asked by many at
// once and answers in any order: a message starts with who asks.

import type { Router } from "zeromq";
import { errorCode } from "../addresses.ts";
import { DEFAULT_LINK_LIMITS, type Frames, LinkError } from "../link.ts";
import { surface } from "../surface.ts";
import { zeromq } from "./native.ts";
import { RouterSends } from "./router-sends.ts";
import { SHARED_OPTIONS } from "./socket-options.ts";
import { Turns } from "./turns.ts";

const ADDRESS = "inproc://zeromq.zap.01";

export class ZapSocket {
  readonly #socket: Router;
  readonly #sends: RouterSends;

  /** @throws LinkError `ADDRESS_IN_USE` if somebody else in this process is there */
  constructor(onMessage: (frames: Frames) => void) {
    this.#socket = new (zeromq().Router)({ ...SHARED_OPTIONS, mandatory: true, sendTimeout: 0, linger: 0 });
    this.#bind();
    // Whoever is gone needs no answer.
    this.#sends = new RouterSends(this.#socket, { onMessage() {} }, DEFAULT_LINK_LIMITS, (cause) =>
      this.#onFailure(cause),
    );
    void this.#receive(onMessage);
  }

  send([routingId, ...frames]: Frames): void {
    if (routingId !== undefined) this.#sends.send(Buffer.from(routingId).toString("latin1"), frames, false);
  }

  /** At once: the address is free when it returns. */
  close(): void {
    this.#sends.abandon();
    this.#socket.disconnect(ADDRESS);
    this.#socket.close();
  }

  #bind(): void {
    try {
      this.#socket.bindSync(ADDRESS);
    } catch (cause) {
      this.#socket.close();
      if (errorCode(cause) !== "EADDRINUSE") throw cause;
      const message = `somebody else in this process answers requests of ZAP (${ADDRESS}), and two cannot`;
      throw new LinkError("ADDRESS_IN_USE", message, { address: ADDRESS, cause });
    }
  }

  async #receive(onMessage: (frames: Frames) => void): Promise<void> {
    const turns = new Turns();
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await this.#socket.receive();
      } catch (error) {
        return this.#onFailure(error);
      }
      onMessage(frames);
      await turns.after(frames.length);
    }
  }

  /** Nobody is let in any more; which no one would notice. */
  #onFailure(cause: unknown): void {
    if (!this.#socket.closed) surface(cause);
  }
}
