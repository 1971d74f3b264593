// Peers of another make that are connected and read nothing until they are asked to.

import { Dealer, Router } from "zeromq";
import { numberOf } from "./frames.ts";

/** As little as possible is read ahead. */
const UNREAD = { receiveHighWaterMark: 1, linger: 0 };

export class MuteDealer {
  readonly #socket: Dealer;

  constructor(address: string, routingId: string) {
    this.#socket = new Dealer({ ...UNREAD, routingId });
    this.#socket.connect(address);
  }

  /** Makes itself known. */
  async greet(): Promise<void> {
    await this.#socket.send("hello");
  }

  /** Reads messages and returns the numbers they start with. */
  async readNumbers(count: number): Promise<number[]> {
    const numbers: number[] = [];
    while (numbers.length < count) numbers.push(numberOf(await this.#socket.receive()));
    return numbers;
  }

  close(): void {
    this.#socket.close();
  }
}

export class MuteRouter {
  readonly #socket = new Router(UNREAD);

  bind(address: string): string {
    this.#socket.bindSync(address);
    return this.#socket.lastEndpoint ?? address;
  }

  /** Reads messages of any peer, and returns the numbers they start with. */
  async readNumbers(count: number): Promise<number[]> {
    const numbers: number[] = [];
    while (numbers.length < count) {
      const [, ...frames] = await this.#socket.receive();
      numbers.push(numberOf(frames));
    }
    return numbers;
  }

  close(): void {
    this.#socket.close();
  }
}
