// The socket of the ZAP handler. It is a ROUTER, because many sockets send requests at once and replies leave in any order.

import type { Router } from "zeromq";
import { errorCode } from "../addresses.ts";
import { throwAsync } from "../handlers.ts";
import { DEFAULT_LINK_LIMITS, type Frames, LinkError } from "../link.ts";
import { RouterSendQueue } from "./router-send-queue.ts";
import { receiveAll } from "./turns.ts";
import { SHARED_OPTIONS, zeromq } from "./zeromq.ts";

const ADDRESS = "inproc://zeromq.zap.01";

export class ZapSocket {
  readonly #socket: Router;
  readonly #queue: RouterSendQueue;

  /** @throws LinkError `ADDRESS_IN_USE` if this process has another ZAP handler */
  constructor(onMessage: (frames: Frames) => void) {
    this.#socket = new (zeromq().Router)({ ...SHARED_OPTIONS, mandatory: true, sendTimeout: 0, linger: 0 });
    this.#bind();
    this.#queue = new RouterSendQueue(this.#socket, DEFAULT_LINK_LIMITS, {
      // A socket that is gone needs no reply.
      handlers: { onMessage() {} },
      onFailure: (cause) => this.#onFailure(cause),
    });
    void receiveAll(this.#socket, { onMessage, onFailure: (cause) => this.#onFailure(cause) });
  }

  send([routingId, ...frames]: Frames): void {
    if (routingId !== undefined) this.#queue.send(Buffer.from(routingId).toString("latin1"), frames, false);
  }

  /** Closes the socket. Its address is free when this returns. */
  close(): void {
    this.#queue.abandon();
    this.#socket.disconnect(ADDRESS);
    this.#socket.close();
  }

  #bind(): void {
    try {
      this.#socket.bindSync(ADDRESS);
    } catch (cause) {
      this.#socket.close();
      if (errorCode(cause) !== "EADDRINUSE") throw cause;
      const message = `cannot bind ${ADDRESS}: this process has another ZAP handler`;
      throw new LinkError("ADDRESS_IN_USE", message, { address: ADDRESS, cause });
    }
  }

  /** Without the handler no peer is authorized, so a failure must be visible. */
  #onFailure(cause: unknown): void {
    if (!this.#socket.closed) throwAsync(cause);
  }
}
