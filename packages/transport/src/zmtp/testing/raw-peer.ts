// The other end of a connection, byte by byte: what it writes is up to the test, what it reads can be waited for.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { encodeReady } from "../commands.ts";
import { encodeGreeting, GREETING_BYTES } from "../greeting.ts";
import { Session } from "../session.ts";

const LIMITS = { maxFrameBytes: 1_000_000, maxMessageBytes: 1_000_000, maxFrames: 1_000 };

export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
  /** All that came, as it came. */
  received: Buffer = Buffer.alloc(0);
  #onReceived = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#onReceived();
    });
  }

  /** @param address `tcp://127.0.0.1:port` */
  static async connect(address: string): Promise<RawPeer> {
    const { hostname, port } = new URL(address);
    const socket = connect(Number(port), hostname);
    const peer = new RawPeer(socket);
    await once(socket, "connect");
    return peer;
  }

  /** Greets and introduces itself. */
  introduce(routingId: string, socketType = "DEALER"): void {
    this.write(encodeGreeting(), encodeReady(socketType, routingId));
  }

  write(...pieces: Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Waits until these bytes have come, after the greeting. */
  async expect(bytes: Uint8Array): Promise<void> {
    while (!this.received.subarray(GREETING_BYTES).includes(Buffer.from(bytes))) {
      await new Promise<void>((resolve) => {
        this.#onReceived = resolve;
      });
    }
  }

  /** The messages that came, as text. */
  messages(): string[][] {
    const messages: string[][] = [];
    const session = new Session(LIMITS, {
      onGreeting: () => {},
      onReady: () => undefined,
      onMessage: (frames) => messages.push(frames.map((frame) => Buffer.from(frame).toString())),
      onPing: () => {},
      onSubscription: () => {},
    });
    session.read(this.received, true);
    return messages;
  }
}

/** Something that listens, and hands out each connection as a raw peer. */
export class RawListener {
  readonly #server: Server;
  readonly #peers: RawPeer[] = [];
  #onPeer = () => {};

  constructor() {
    this.#server = createServer((socket) => {
      this.#peers.push(new RawPeer(socket));
      this.#onPeer();
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    return `tcp://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  }

  /** The next that connects. */
  async next(): Promise<RawPeer> {
    for (;;) {
      const peer = this.#peers.shift();
      if (peer !== undefined) return peer;
      await new Promise<void>((resolve) => {
        this.#onPeer = resolve;
      });
    }
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.#peers) socket.destroy();
  }
}
