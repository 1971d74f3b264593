// The classic worker. What it does is done by the worker of @pigato/worker; here is how classic code holds it: a live
// `conf`, `request` events of data that is `null` where there is none, words for what a broker did wrong.

import { EventEmitter } from "node:events";
import { isWorkerOption, Worker as Peer, type Reply, type WorkerOptions } from "@pigato/worker";
import { type ConfOf, pickOptions } from "./conf.ts";
import { emitError, workerErrorEvent } from "./errors.ts";
import { Life } from "./lives.ts";

/**
 * The options of a worker, with their defaults where the original has one, and whatever else it was given. What is set
 * later holds from the next `start()`; `concurrency` and the listeners hold at once.
 */
export type WorkerConf = ConfOf<WorkerOptions, "onConnect" | "onDisconnect" | "onDisconnnect">;

export interface WorkerEvents {
  start: [];
  stop: [];
  connect: [];
  disconnect: [];
  /** The data, what to answer with, and the options that the client sent. */
  request: [data: unknown, reply: Reply, options: Readonly<Record<string, unknown>>];
  /** A word such as `ERR_MSG_HEADER` for what a broker did, or an `Error` for what failed here. */
  error: [error: unknown];
}

/** What the original has no option for, set to what it does. */
const AS_THE_ORIGINAL: WorkerOptions = Object.freeze({ negotiate: false, stopTimeoutMs: 0 });

export class Worker extends EventEmitter<WorkerEvents> {
  /** The address of the broker, or several that are tried in turn. */
  readonly broker: string | readonly string[];
  readonly service: string;
  readonly conf: WorkerConf;
  #life: Life<Peer> | undefined;

  constructor(broker: string | readonly string[], service: string, conf?: WorkerConf | null) {
    super();
    this.broker = broker;
    this.service = service;
    this.conf = {
      heartbeat: 2500,
      reconnect: 1000,
      concurrency: 100,
      prefix: `W${crypto.randomUUID()}`,
      ...conf,
    };
    this.#followConcurrency();
  }

  /** The id under which the broker knows this worker: new at every start. `undefined` while it is stopped. */
  get socketId(): string | undefined {
    return this.#life?.isRunning ? this.#life.peer.socketId : undefined;
  }

  /** Connects, and comes back whenever the broker is lost. Of a worker that runs, it is a new beginning. */
  start(): void {
    this.stop();
    this.#life = this.#newLife();
    this.#life.start();
  }

  /** Says goodbye and closes at once: requests that run count as lost. */
  stop(): void {
    const life = this.#life;
    if (!life?.isRunning) return;
    this.#life = undefined;
    void life.stop();
  }

  /** Sends a heartbeat now. */
  heartbeat(): void {
    if (this.#life?.isRunning) this.#life.peer.heartbeat();
  }

  #newLife(): Life<Peer> {
    const { onConnect, onDisconnect, ...given } = this.conf;
    const options = { ...AS_THE_ORIGINAL, ...pickOptions(given, isWorkerOption) };
    const peer = new Peer(this.broker, this.service, options);
    const life = new Life(peer, this);
    peer.on("request", (data, reply, sent) => this.#onRequest(data ?? null, reply, sent));
    peer.on("error", (error) => {
      if (!life.isOver) emitError(this, workerErrorEvent(error));
    });
    return life;
  }

  /** Called one by one rather than emitted, so that a handler which is `async` may fail as well. */
  #onRequest(data: unknown, reply: Reply, sent: WorkerEvents["request"][2]): Promise<unknown> | undefined {
    const handlers = this.rawListeners("request");
    if (handlers.length === 0) {
      reply.reject("the worker has no handler");
      return undefined;
    }
    const results = handlers.map((handler): unknown => Reflect.apply(handler, this, [data, reply, sent]));
    return Promise.all(results);
  }

  #followConcurrency(): void {
    let { concurrency } = this.conf;
    Object.defineProperty(this.conf, "concurrency", {
      enumerable: true,
      configurable: true,
      get: () => concurrency,
      set: (value: unknown) => {
        const limit = typeof value === "number" ? value : undefined;
        concurrency = limit;
        if (this.#life !== undefined && limit !== undefined) this.#life.peer.conf.concurrency = limit;
      },
    });
  }
}
