// The other end of a connection, byte by byte: the test decides what it writes, and can wait for what it reads.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { GREETING_BYTES } from "../greeting.ts";
import { NULL_PEER } from "../mechanism/null.ts";
import { PeerReader } from "../peer-reader.ts";
import { encodeGreeting, encodeReady } from "./encoded.ts";
import "./watch-connections.ts";

const LIMITS = { maxFrameBytes: 1_000_000, maxMessageBytes: 1_000_000, maxFrames: 1_000 };

export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the connection has ended. */
  readonly closed: Promise<unknown>;
  /** All bytes received. */
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

  /** Sends a greeting and READY. */
  introduce(routingId: string, socketType = "DEALER"): void {
    this.write(encodeGreeting(), encodeReady(socketType, routingId));
  }

  write(...pieces: Uint8Array[]): void {
    this.socket.write(Buffer.concat(pieces));
  }

  /** Waits until it has received these bytes, after the greeting. */
  async expect(bytes: Uint8Array): Promise<void> {
    while (!this.received.subarray(GREETING_BYTES).includes(Buffer.from(bytes))) {
      await new Promise<void>((resolve) => {
        this.#onReceived = resolve;
      });
    }
  }

  /** The messages received, as text. */
  messages(): string[][] {
    const messages: string[][] = [];
    const metadata = { socketType: "", routingId: "" };
    const reader = new PeerReader(
      { limits: LIMITS, mechanism: NULL_PEER, metadata },
      {
        onGreeting: () => {},
        onSendCommand: () => {},
        onAuthenticate: () => {},
        onIntroduced: () => undefined,
        onHandshakeComplete: () => {},
        onMessage: (frames) => messages.push(frames.map((frame) => Buffer.from(frame).toString())),
        onPing: () => {},
        onSubscription: () => {},
        onIgnored: () => {},
      },
    );
    reader.read(this.received, true);
    return messages;
  }
}

/** Listens, and returns each connection as a raw peer. */
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

  /** @param path of an ipc address; a free port by default */
  async listen(path?: string): Promise<string> {
    this.#server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
    await once(this.#server, "listening");
    const address = this.#server.address();
    return typeof address === "string" ? `ipc://${address}` : `tcp://127.0.0.1:${address?.port}`;
  }

  /** The next connection. */
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
