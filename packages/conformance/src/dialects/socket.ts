// A DEALER and nothing else: frames out, frames in, as byte strings. What peers of the dialects are made of here, so that
// nothing of ours stands between a test and the broker.

import { Dealer } from "zeromq";

let count = 0;

export class Socket {
  readonly id: string;
  readonly #socket: Dealer;
  readonly #received: string[][] = [];
  #wake: () => void = () => {};
  #isClosed = false;

  /** @param id the routing id; if not given, one that no other socket of the process has */
  constructor(address: string, id: string = `peer-${process.pid}-${++count}`) {
    this.id = id;
    this.#socket = new Dealer({ routingId: id, linger: 1_000, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    this.#socket.connect(address);
    void this.#read();
  }

  /** What has come and nobody has asked for yet. */
  get received(): readonly (readonly string[])[] {
    return this.#received;
  }

  send(...frames: readonly string[]): Promise<void> {
    return this.#socket.send(frames.map((frame) => Buffer.from(frame, "latin1")));
  }

  /** The next message. */
  async next(): Promise<string[]> {
    return this.nextThat(() => true);
  }

  /** The first message, there already or to come, of which this holds. The others stay. */
  async nextThat(holds: (frames: readonly string[]) => boolean): Promise<string[]> {
    for (;;) {
      const index = this.#received.findIndex(holds);
      const [found] = index < 0 ? [] : this.#received.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const frames of this.#socket) {
      this.#received.push(frames.map((frame) => frame.toString("latin1")));
      this.#wake();
    }
  }
}
