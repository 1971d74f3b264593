// A listener that sends a ZMTP greeting with PLAIN, in place of a router with NULL.

import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

const GREETING = Buffer.alloc(64);
GREETING[0] = 0xff;
GREETING.set([0x7f, 3, 0], 9);
GREETING.write("PLAIN", 12, "latin1");

export class PlainListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #onConnection: () => void = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
      socket.resume();
      socket.write(GREETING);
      this.#onConnection();
    });
  }

  /** @param address of tcp or ipc, with its port */
  async listen(address: string): Promise<void> {
    const { protocol, hostname, port, pathname } = new URL(address);
    if (protocol === "tcp:") {
      this.#server.listen(Number(port), hostname);
    } else {
      // An earlier listener may have left its socket file behind.
      rmSync(pathname, { force: true });
      this.#server.listen(pathname);
    }
    await once(this.#server, "listening");
  }

  /** Resolves at the next connection. */
  connected(): Promise<void> {
    return new Promise((resolve) => {
      this.#onConnection = resolve;
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
