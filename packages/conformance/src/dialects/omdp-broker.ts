// A broker of zmq-omdp, written from the behavior of the original on a bare ROUTER socket, without our codecs. It sends heartbeats
// to all workers at an interval, replies to none, disconnects a worker for an unexpected message, and gives each worker one
// request at a time. As the README of zmq-omdp allows, it notifies a client of the dispatch of its request, and forwards heartbeats.

import { Router } from "zeromq";

interface Waiting {
  readonly client: Buffer;
  readonly id: Buffer;
  readonly data: Buffer;
}

const HEARTBEAT_MS = 50;

export class OmdpBroker {
  /** Every message that it received, without heartbeats: `C 2 echo r1 …`. Addresses are left out. */
  readonly received: string[] = [];
  readonly #socket = new Router({ linger: 0 });
  /** The service of each worker. */
  readonly #workers = new Map<string, string>();
  readonly #idle = new Map<string, string[]>();
  readonly #queues = new Map<string, Waiting[]>();
  /** The worker that has a request, by the client and the id. */
  readonly #holders = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();

  static async start(): Promise<OmdpBroker> {
    const broker = new OmdpBroker();
    await broker.#socket.bind("tcp://127.0.0.1:*");
    broker.#timer = setInterval(() => {
      for (const worker of broker.#workers.keys()) broker.#send(worker, "W", "4");
    }, HEARTBEAT_MS);
    void broker.#read();
    return broker;
  }

  get address(): string {
    return String(this.#socket.lastEndpoint);
  }

  /** The number of registered workers. */
  get size(): number {
    return this.#workers.size;
  }

  disconnectAll(): void {
    for (const worker of this.#workers.keys()) this.#send(worker, "W", "5");
    this.#workers.clear();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const [from, tag, type, ...rest] of this.#socket) {
      const name = String(from);
      const kind = String(type);
      if (kind !== "4" || rest.length > 0) this.received.push([tag, type, ...rest].map(String).join(" "));
      if (String(tag) === "C" && from !== undefined) this.#onClient(from, kind, rest);
      if (String(tag) === "W") this.#onWorker(name, kind, rest);
    }
  }

  #onClient(client: Buffer, kind: string, rest: readonly Buffer[]): void {
    if (kind === "4" && rest.length === 1) {
      const holder = this.#holders.get(`${client} ${rest[0]}`);
      if (holder !== undefined) this.#send(holder, "W", "4", client, rest[0] ?? "");
    }
    const [service, id, data] = rest;
    if (kind !== "2" || service === undefined || id === undefined || data === undefined) return;
    const queue = this.#queues.get(String(service)) ?? [];
    this.#queues.set(String(service), queue);
    queue.push({ client, id, data });
    this.#dispatch(String(service));
  }

  #onWorker(worker: string, kind: string, [first, id, ...rest]: readonly Buffer[]): void {
    if (kind === "1" && !this.#workers.has(worker)) {
      this.#workers.set(worker, String(first));
      return this.#release(worker);
    }
    if (kind === "5") return void this.#workers.delete(worker);
    if (kind === "1" || !this.#workers.has(worker)) {
      this.#workers.delete(worker);
      return this.#send(worker, "W", "5");
    }
    if (kind === "4" && first !== undefined && id !== undefined) return this.#send(String(first), "C", "4", id);
    if ((kind !== "3" && kind !== "6") || first === undefined || id === undefined) return;
    this.#send(String(first), "C", kind, id, ...rest);
    if (kind === "3") {
      this.#holders.delete(`${first} ${id}`);
      this.#release(worker);
    }
  }

  #release(worker: string): void {
    const service = this.#workers.get(worker) ?? "";
    this.#idle.set(service, [...(this.#idle.get(service) ?? []), worker]);
    this.#dispatch(service);
  }

  #dispatch(service: string): void {
    const idle = this.#idle.get(service) ?? [];
    const queue = this.#queues.get(service) ?? [];
    while (idle.length > 0 && queue.length > 0) {
      const worker = idle.shift() ?? "";
      const request = this.#workers.has(worker) ? queue.shift() : undefined;
      if (request === undefined) continue;
      this.#holders.set(`${request.client} ${request.id}`, worker);
      this.#send(worker, "W", "2", request.client, request.id, request.data);
      this.#send(String(request.client), "C", "4", request.id);
    }
  }

  #send(...frames: (string | Buffer)[]): void {
    this.#sending = this.#sending.then(() => this.#socket.send(frames)).catch(() => {});
  }
}
