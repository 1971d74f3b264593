// A peer on a bare DEALER socket: it sends any frames and returns what it receives, without code under test between it and the
// broker.

import { Dealer } from "zeromq";
import { Inbox } from "./inbox.ts";

export type RawFrame = string | Uint8Array;

export interface RawPeerOptions {
  /** The encoding of frames as text; `latin1` keeps every byte. @defaultValue "utf8" */
  readonly encoding?: "utf8" | "latin1";
  /** Milliseconds that a closed socket keeps sending. @defaultValue 0 */
  readonly lingerMs?: number;
}

let count = 0;

export class RawPeer {
  readonly id: string;
  readonly #socket: Dealer;
  readonly #inbox = new Inbox<string[]>();
  readonly #encoding: "utf8" | "latin1";

  /** @param id the routing id; by default one that no other socket of the process has */
  constructor(address: string, id: string = `peer-${process.pid}-${++count}`, options: RawPeerOptions = {}) {
    const { encoding = "utf8", lingerMs = 0 } = options;
    this.id = id;
    this.#encoding = encoding;
    this.#socket = new Dealer({ routingId: id, linger: lingerMs, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    this.#socket.connect(address);
    void this.#read();
  }

  /** Received messages that were not taken, as text. */
  get received(): readonly (readonly string[])[] {
    return this.#inbox.items;
  }

  send(...frames: readonly RawFrame[]): Promise<void> {
    return this.#socket.send(
      frames.map((frame) => (typeof frame === "string" ? Buffer.from(frame, this.#encoding) : frame)),
    );
  }

  /** The next message. */
  next(): Promise<string[]> {
    return this.#inbox.take();
  }

  /** The first message that fits, received already or to come. The others stay. */
  nextThat(fits: (frames: readonly string[]) => boolean): Promise<string[]> {
    return this.#inbox.take(fits);
  }

  /** The first message that starts with these frames; `*` stands for any frame. */
  receive(...start: readonly string[]): Promise<string[]> {
    return this.nextThat((frames) => start.every((frame, index) => frame === "*" || frames[index] === frame));
  }

  /** Sends a heartbeat and waits for its reply, after which the broker has handled everything that was sent before. */
  async roundTrip(): Promise<void> {
    await this.send("C", "4");
    await this.receive("C", "4");
  }

  close(): void {
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const frames of this.#socket) this.#inbox.add(frames.map((frame) => frame.toString(this.#encoding)));
  }
}
