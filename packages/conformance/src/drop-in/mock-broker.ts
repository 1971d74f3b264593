// A mock broker on a raw socket, as tests of classic code use. It records every message, with roles in place of ids that vary
// between runs, and sends what the test configures.

import { Router } from "zeromq";

export type Transcript = readonly (readonly string[])[];

type Frame = string | Buffer;

export class MockBroker {
  readonly #socket = new Router({ linger: 0 });
  readonly #messages: string[][] = [];
  #peer: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  /** Whether it answers heartbeats and READY with an echo of their first two frames. */
  isAnswering = true;

  static async at(address: string): Promise<MockBroker> {
    const broker = new MockBroker();
    await broker.#socket.bind(address);
    void broker.#receive();
    return broker;
  }

  /** The bound address, with the real port. */
  get address(): string {
    return this.#socket.lastEndpoint ?? "";
  }

  /** The id of the peer that sent the last message. */
  get peer(): string {
    return this.#peer.toString();
  }

  /** Sends to the peer that sent the last message. */
  async send(...frames: Frame[]): Promise<void> {
    await this.#socket.send([this.#peer, ...frames]);
  }

  /** All received messages, as text. */
  get messages(): readonly (readonly string[])[] {
    return this.#messages;
  }

  /** The first message from index `from` on that starts with these frames, received already or later. */
  async receive(start: readonly string[], from = 0): Promise<readonly string[]> {
    for (;;) {
      const found = this.#messages.slice(from).find((frames) => start.every((frame, index) => frames[index] === frame));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    for await (const [peer, ...frames] of this.#socket) {
      if (peer !== undefined) this.#peer = peer;
      const [side, type] = frames;
      this.#messages.push(frames.map(String));
      if (this.isAnswering && side && type && (String(type) === "4" || String(side) + type === "W1")) {
        await this.send(side, type);
      }
      this.#wake();
    }
  }
}

/** The messages with each of these ids replaced by the name of its role. */
export function anonymous(messages: Transcript, roles: Readonly<Record<string, string>>): string[] {
  return messages.map((frames) => frames.map((frame) => roles[frame] ?? frame).join(" | "));
}
