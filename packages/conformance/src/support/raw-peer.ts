// A peer that is nothing but a socket: it sends any frames and hands out what comes back.

import { Dealer } from "zeromq";

export type RawFrame = string | Uint8Array;

export class RawPeer {
  readonly id: string;
  readonly #socket: Dealer;
  readonly #received: string[][] = [];
  #wake: () => void = () => {};

  /** @param id the routing id, as text */
  constructor(address: string, id: string) {
    this.id = id;
    this.#socket = new Dealer({ routingId: id, linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    this.#socket.connect(address);
    void this.#read();
  }

  /** Everything received so far that nobody asked for, as text. */
  get received(): readonly (readonly string[])[] {
    return this.#received;
  }

  send(...frames: RawFrame[]): Promise<void> {
    return this.#socket.send(frames);
  }

  /** The first message, received already or to come, that starts with these frames; `*` stands for any frame. */
  async receive(...start: string[]): Promise<string[]> {
    for (;;) {
      const index = this.#received.findIndex((frames) =>
        start.every((frame, position) => frame === "*" || frames[position] === frame),
      );
      const [found] = index < 0 ? [] : this.#received.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** A classic heartbeat and its answer: whatever was sent before has been dealt with. */
  async roundTrip(): Promise<void> {
    await this.send("C", "4");
    await this.receive("C", "4");
  }

  close(): void {
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const frames of this.#socket) {
      this.#received.push(frames.map((frame) => frame.toString()));
      this.#wake();
    }
  }
}
