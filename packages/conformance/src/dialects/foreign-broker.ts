// A Majordomo broker written from RFC 7 and RFC 18 on a bare ROUTER socket, without our codecs. Like other Majordomo brokers,
// it sends heartbeats only to idle workers, drops invalid messages, answers unexpected ones with DISCONNECT, and forgets a
// request once it is dispatched.

import { setImmediate as nextTurn } from "node:timers/promises";
import { Router } from "zeromq";

export type Version = "mdp01" | "mdp02";

type Frame = string | Buffer;

/** [READY, REQUEST, PARTIAL, FINAL, HEARTBEAT, DISCONNECT] of a worker. */
const WORKER_COMMANDS: Readonly<Record<Version, readonly (number | undefined)[]>> = {
  mdp01: [1, 2, undefined, 3, 4, 5],
  mdp02: [1, 2, 3, 4, 5, 6],
};
/** Silent intervals after which the broker forgets a worker: many, because test machines pause at times. */
const LIVENESS = 60;

interface IdleOrBusy {
  readonly id: Buffer;
  readonly service: string;
  isBusy: boolean;
  receivedAt: number;
}

interface Waiting {
  readonly client: Buffer;
  readonly body: readonly Buffer[];
}

/** What the broker received or did: `READY W1 echo`, `REQUEST C1 echo`, `HEARTBEAT W1`, … */
interface Entry {
  readonly word: string;
  readonly peer: string;
}

export class ForeignBroker {
  readonly log: Entry[] = [];
  /** The maximum number of requests that one client had open at a time. */
  mostOpen = 0;
  /** Whether it sends nothing, although its socket is open. */
  isMute = false;
  readonly #version: Version;
  readonly #heartbeatMs: number;
  readonly #socket = new Router({ linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 });
  /** Least recently used first. */
  readonly #workers = new Map<string, IdleOrBusy>();
  readonly #queues = new Map<string, Waiting[]>();
  readonly #open = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> = Promise.resolve();
  #wake: () => void = () => {};
  #isStopping = false;

  private constructor(version: Version, heartbeatMs: number) {
    this.#version = version;
    this.#heartbeatMs = heartbeatMs;
  }

  static async start(version: Version, address = "tcp://127.0.0.1:*", heartbeatMs = 50): Promise<ForeignBroker> {
    const broker = new ForeignBroker(version, heartbeatMs);
    await bound(broker.#socket, address);
    broker.#timer = setInterval(() => broker.#beat(), heartbeatMs);
    void broker.#read();
    return broker;
  }

  get address(): string {
    return this.#socket.lastEndpoint ?? "";
  }

  /** The ids of registered workers, least recently used first. */
  get workers(): readonly string[] {
    return [...this.#workers.values()].map(({ id }) => id.toString());
  }

  /** The ids of peers for which it has logged this event, in order. */
  seen(word: string): readonly string[] {
    return this.log.filter((entry) => entry.word === word).map(({ peer }) => peer);
  }

  /** Resolves when a condition on its log holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  disconnectWorkers(): void {
    for (const { id } of this.#workers.values()) this.#send(id, ...this.#worker("DISCONNECT"));
    this.#workers.clear();
  }

  /** Sends any frames to a peer. */
  say(peer: string, ...frames: Frame[]): void {
    this.#send(Buffer.from(peer), ...frames);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#isStopping) return;
    this.#isStopping = true;
    await this.#sending;
    // Does not unbind first: an unbind during a pending read crashes the process about once in 100 times.
    this.#socket.close();
  }

  async #read(): Promise<void> {
    for await (const [id, ...frames] of this.#socket) {
      if (this.#isStopping) return;
      if (id !== undefined && !this.isMute) this.#onMessage(id, frames);
      this.#wake();
    }
  }

  #onMessage(id: Buffer, frames: readonly Buffer[]): void {
    const rest = this.#version === "mdp01" && frames[0]?.length === 0 ? frames.slice(1) : frames;
    if (this.#version === "mdp01" && rest === frames) return this.#note("INVALID", id);
    const [header, ...content] = rest;
    const digits = this.#version === "mdp01" ? "01" : "02";
    if (header?.toString() === `MDPC${digits}`) return this.#onClient(id, content);
    if (header?.toString() === `MDPW${digits}`) return this.#onWorker(id, content);
    this.#note("INVALID", id);
  }

  #onClient(id: Buffer, content: readonly Buffer[]): void {
    if (this.#version === "mdp02" && (content[0]?.length !== 1 || content[0][0] !== 1))
      return this.#note("INVALID", id);
    const [name, ...body] = this.#version === "mdp02" ? content.slice(1) : content;
    if (name === undefined || body.length === 0) return this.#note("INVALID", id);
    const service = name.toString();
    this.#note("REQUEST", id);
    const open = (this.#open.get(id.toString()) ?? 0) + 1;
    this.#open.set(id.toString(), open);
    this.mostOpen = Math.max(this.mostOpen, open);
    if (service.startsWith("mmi.")) return this.#toClient("FINAL", id, service, [this.#manage(service, body)]);
    const queue = this.#queues.get(service) ?? [];
    this.#queues.set(service, queue);
    queue.push({ client: id, body });
    this.#dispatch(service);
  }

  #manage(service: string, [asked]: readonly Buffer[]): Buffer {
    if (service !== "mmi.service") return Buffer.from("501");
    const isServed = [...this.#workers.values()].some((worker) => worker.service === asked?.toString());
    return Buffer.from(isServed ? "200" : "404");
  }

  #onWorker(id: Buffer, [command, ...content]: readonly Buffer[]): void {
    const key = id.toString("hex");
    const worker = this.#workers.get(key);
    const word = ["READY", "REQUEST", "PARTIAL", "FINAL", "HEARTBEAT", "DISCONNECT"][
      WORKER_COMMANDS[this.#version].indexOf(command?.length === 1 ? command[0] : Number.NaN)
    ];
    if (word === undefined || word === "REQUEST") return this.#note("INVALID", id);
    this.#note(word, id);
    if (worker !== undefined) worker.receivedAt = performance.now();
    if (word === "DISCONNECT") {
      this.#workers.delete(key);
      return;
    }
    if (word === "READY" ? worker !== undefined : worker === undefined) {
      this.#workers.delete(key);
      return this.#send(id, ...this.#worker("DISCONNECT"));
    }
    if (worker === undefined) {
      const service = content[0]?.toString() ?? "";
      this.#workers.set(key, { id, service, isBusy: false, receivedAt: performance.now() });
      return this.#dispatch(service);
    }
    if (word === "HEARTBEAT") return;
    const [client, empty, ...body] = content;
    if (client === undefined || empty?.length !== 0 || body.length === 0) return this.#note("INVALID", id);
    this.#toClient(word, client, worker.service, body);
    if (word === "PARTIAL") return;
    worker.isBusy = false;
    this.#workers.delete(key);
    this.#workers.set(key, worker);
    this.#dispatch(worker.service);
  }

  #dispatch(service: string): void {
    const queue = this.#queues.get(service) ?? [];
    for (const worker of this.#workers.values()) {
      if (worker.isBusy || worker.service !== service) continue;
      const next = queue.shift();
      if (next === undefined) return;
      worker.isBusy = true;
      this.#send(worker.id, ...this.#worker("REQUEST"), next.client, "", ...next.body);
    }
  }

  #toClient(word: string, client: Buffer, service: string, body: readonly Buffer[]): void {
    if (word !== "PARTIAL") this.#open.set(client.toString(), (this.#open.get(client.toString()) ?? 1) - 1);
    if (this.#version === "mdp01") return this.#send(client, "", "MDPC01", service, ...body);
    this.#send(client, "MDPC02", Buffer.of(word === "PARTIAL" ? 2 : 3), service, ...body);
  }

  #worker(word: "REQUEST" | "HEARTBEAT" | "DISCONNECT"): Frame[] {
    const index = { REQUEST: 1, HEARTBEAT: 4, DISCONNECT: 5 }[word];
    const command = Buffer.of(WORKER_COMMANDS[this.#version][index] ?? 0);
    return this.#version === "mdp01" ? ["", "MDPW01", command] : ["MDPW02", command];
  }

  #beat(): void {
    if (this.isMute) return;
    for (const [key, worker] of this.#workers) {
      if (worker.isBusy) continue;
      if (performance.now() - worker.receivedAt > LIVENESS * this.#heartbeatMs) this.#workers.delete(key);
      else this.#send(worker.id, ...this.#worker("HEARTBEAT"));
    }
  }

  /** The socket accepts one message at a time. */
  #send(peer: Buffer, ...frames: Frame[]): void {
    this.#sending = this.#sending.then(() => this.#socket.send([peer, ...frames])).catch(() => {});
  }

  #note(word: string, peer: Buffer): void {
    this.log.push({ word, peer: peer.toString() });
  }
}

/** The address of a broker that has just stopped becomes free with a delay. */
async function bound(socket: Router, address: string): Promise<void> {
  for (;;) {
    try {
      return await socket.bind(address);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EADDRINUSE")) throw error;
      await nextTurn();
    }
  }
}
