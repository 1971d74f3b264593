// The obvious program with the `zeromq` package: a ROUTER for clients, a DEALER for workers, and a broker that forwards
// messages between them without reading them.

import { Dealer, Router } from "zeromq";
import { CHUNK, isChunk, type Peer, parseRequest } from "../peer.ts";
import { PendingRequests } from "../pending-requests.ts";

type Message = (string | Buffer)[];

export const zeromq: Peer = {
  async broker() {
    const front = new Router({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    const back = new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    await front.bind("tcp://127.0.0.1:*");
    await back.bind("tcp://127.0.0.1:*");
    const toWorkers = new Outbox(back);
    const toClients = new Outbox(front);
    void readAll(front, (message) => toWorkers.push(message));
    void readAll(back, (message) => toClients.push(message));
    return { address: `${front.lastEndpoint} ${back.lastEndpoint}` };
  },

  async worker(address) {
    const socket = new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    const [, back = ""] = address.split(" ");
    socket.connect(back);
    const outbox = new Outbox(socket);
    void readAll(socket, ([client = "", id = "", body = ""]) => {
      const request = parseRequest(body.toString());
      if (request.partials === undefined) return outbox.push([client, id, JSON.stringify(request)]);
      for (let number = 0; number < request.partials; number++) {
        outbox.push([client, id, request.bytes ? CHUNK : JSON.stringify(number)]);
      }
    });
    return { address };
  },

  async client(address) {
    const socket = new Dealer({ sendHighWaterMark: 0, receiveHighWaterMark: 0 });
    const [front = ""] = address.split(" ");
    socket.connect(front);
    const outbox = new Outbox(socket);
    const pending = new PendingRequests();
    void readAll(socket, ([id = "", body = ""]) => {
      pending.settle(Number(id), isChunk(body) ? body : JSON.parse(body.toString()));
    });
    return {
      call: (request, done) => outbox.push([String(pending.add(done)), JSON.stringify(request)]),
      stream: (request, onPartial, done) => {
        const id = pending.add(done, onPartial, request.partials);
        outbox.push([String(id), JSON.stringify(request)]);
      },
    };
  },
};

async function readAll(socket: Router | Dealer, onMessage: (message: Message) => void): Promise<void> {
  for await (const message of socket) onMessage(message);
}

/** Sends one message after the other, because the package accepts only one at a time. */
class Outbox {
  readonly #socket: Router | Dealer;
  #queue: Message[] = [];
  #isSending = false;

  constructor(socket: Router | Dealer) {
    this.#socket = socket;
  }

  push(message: Message): void {
    this.#queue.push(message);
    if (!this.#isSending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#isSending = true;
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      for (const message of batch) await this.#socket.send(message);
    }
    this.#isSending = false;
  }
}
