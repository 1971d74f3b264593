// The classic worker: an adapter of the worker of @pigato/worker. `conf` may be changed at any time, a request without data has
// `null`, and protocol errors of the broker are words such as `ERR_MSG_HEADER`.

import { EventEmitter } from "node:events";
import { warningsOf } from "@pigato/peer";
import { isWorkerOption, Worker as Peer, type Reply, type WorkerOptions } from "@pigato/worker";
import { type ConfOf, pickOptions } from "./conf.ts";
import { emitError, workerErrorEvent } from "./errors.ts";
import { ClassicLifecycle } from "./lifecycle.ts";

/**
 * The options of a worker, with the original's defaults, and any other key. A change applies from the next `start()`; changes
 * of `concurrency` and the listeners apply at once.
 */
export type WorkerConf = ConfOf<WorkerOptions, "onConnect" | "onDisconnect" | "onDisconnnect">;

export interface WorkerEvents {
  start: [];
  stop: [];
  connect: [];
  disconnect: [];
  /** The data, the reply to write to, and the options that the client sent. */
  request: [data: unknown, reply: Reply, options: Readonly<Record<string, unknown>>];
  /** A word such as `ERR_MSG_HEADER` for a protocol error of the broker, or an `Error` for a local failure. */
  error: [error: unknown];
}

/** Behavior of the original that has no option. */
const AS_THE_ORIGINAL: WorkerOptions = Object.freeze({ negotiate: "announced", allowLoss: true, stopTimeoutMs: 0 });

export class Worker extends EventEmitter<WorkerEvents> {
  /** The address of the broker, or several that are tried in turn. */
  readonly broker: string | readonly string[];
  readonly service: string;
  readonly conf: WorkerConf;
  #lifecycle: ClassicLifecycle<Peer> | undefined;

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

  /** The worker's id at the broker: new at every start. `undefined` while it is stopped. */
  get socketId(): string | undefined {
    return this.#lifecycle?.isRunning ? this.#lifecycle.peer.socketId : undefined;
  }

  /** Connects, and reconnects whenever the broker is lost. A worker that runs is restarted. */
  start(): void {
    this.stop();
    this.#lifecycle = this.#newLifecycle();
    this.#lifecycle.start();
  }

  /** Sends DISCONNECT and closes at once: the broker treats running requests as lost. */
  stop(): void {
    const lifecycle = this.#lifecycle;
    if (!lifecycle?.isRunning) return;
    this.#lifecycle = undefined;
    void lifecycle.stop();
  }

  /** Sends a heartbeat now. */
  heartbeat(): void {
    if (this.#lifecycle?.isRunning) this.#lifecycle.peer.heartbeat();
  }

  #newLifecycle(): ClassicLifecycle<Peer> {
    const { onConnect, onDisconnect, ...given } = this.conf;
    const options = { ...AS_THE_ORIGINAL, ...pickOptions(given, isWorkerOption) };
    const peer = new Peer(this.broker, this.service, options);
    const lifecycle = new ClassicLifecycle(peer, this);
    const warnings = warningsOf(this.conf.logger ?? undefined);
    peer.on("request", (data, reply, sent) => {
      // The peer has a listener of its own, so it does not see that this worker has none.
      if (this.listenerCount("request") > 0) return this.#onRequest(data ?? null, reply, sent);
      const text = `worker "${this.service}" has no request handler: call worker.on("request", …) before start()`;
      warnings.warn("PIGATO_NO_HANDLER", text, { service: this.service });
      return reply.reject("the worker has no handler");
    });
    peer.on("error", (error) => {
      if (!lifecycle.isStopped) emitError(this, workerErrorEvent(error), () => warnings.onUnheard(error));
    });
    return lifecycle;
  }

  /** Calls the handlers itself, not by `emit`, to catch the rejections of async handlers. What they return is no reply. */
  #onRequest(data: unknown, reply: Reply, sent: WorkerEvents["request"][2]): Promise<unknown> {
    const results = this.rawListeners("request").map((handler): unknown =>
      Reflect.apply(handler, this, [data, reply, sent]),
    );
    return Promise.all(results).then(() => undefined);
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
        if (this.#lifecycle !== undefined && limit !== undefined) this.#lifecycle.peer.conf.concurrency = limit;
      },
    });
  }
}
