// Foreign peers that are connected and read only when the test calls them.

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

  /** Introduces itself to the router. */
  async greet(): Promise<void> {
    await this.#socket.send("hello");
  }

  /** Reads messages. @returns their numbers */
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

  /** Reads messages of any peer. @returns their numbers */
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
