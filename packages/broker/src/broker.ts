// The broker as its users hold it: options, start, stop, events. What runs in between is a `BrokerRun`.

import { UsageError } from "@pigato/protocol";
import type { LinkError } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import type { CoreStats } from "./core/core.ts";
import { type BrokerEvents, publish } from "./events.ts";
import { type BrokerOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { BrokerRun } from "./run.ts";

//   idle ──start()──► starting ──bound──► serving ──stop()──► stopping ──► idle
//     ▲                  │ failed
//     └──────────────────┘
type Phase =
  | { readonly name: "idle" }
  | { readonly name: "starting"; readonly run: BrokerRun; readonly done: Promise<void> }
  | { readonly name: "serving"; readonly run: BrokerRun }
  | { readonly name: "stopping"; readonly done: Promise<void> };

/**
 * Queues requests and routes them to workers.
 *
 * Its events are for watching: `start`, `stop`, `error`, `worker:join`, `worker:leave`, `client:join`, `client:leave`,
 * `request:failed`, `request:requeued`, `violation`, `drop`.
 */
export class Broker extends EventEmitter<BrokerEvents> {
  /** The options in force. */
  readonly conf: ResolvedOptions;
  readonly #binds: readonly string[];
  #phase: Phase = { name: "idle" };

  /**
   * @param address where to listen: `tcp://*:55555`, `tcp://127.0.0.1:*`, `ipc://path`, `inproc://name`; one or several
   * @throws UsageError for a bad option or no address
   */
  constructor(address: string | readonly string[], conf: BrokerOptions = {}) {
    super();
    this.#binds = typeof address === "string" ? [address] : [...address];
    if (this.#binds.length === 0 || this.#binds.some((bind) => typeof bind !== "string" || bind === "")) {
      throw new UsageError(`a broker listens at one or more addresses, not at ${JSON.stringify(address)}`);
    }
    this.conf = resolveOptions(conf);
  }

  /** The addresses it listens at, with real ports; empty while it does not. */
  get addresses(): readonly string[] {
    return this.#phase.name === "serving" ? this.#phase.run.addresses : [];
  }

  /** Counts of requests since the start and of what there is now; `undefined` while it does not serve. */
  stats(): CoreStats | undefined {
    return this.#phase.name === "serving" ? this.#phase.run.stats() : undefined;
  }

  /**
   * Starts to listen. Resolves when every address is bound. A second call while it runs changes nothing.
   * @param callback called when it serves, or with what went wrong
   * @throws LinkError (rejects) when an address cannot be bound; nothing stays open then
   */
  start(callback?: (error?: unknown) => void): Promise<void> {
    const started = this.#start();
    if (callback) started.then(() => callback(), callback);
    return started;
  }

  /**
   * Refuses new requests with `CLOSED`, lets open ones finish for at most `stopTimeoutMs`, tells the workers, closes.
   * Resolves when all is closed. Safe to call at any time, and twice.
   */
  stop(callback?: () => void): Promise<void> {
    const stopped = this.#stop();
    if (callback) stopped.then(callback, callback);
    return stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #start(): Promise<void> {
    const phase = this.#phase;
    switch (phase.name) {
      case "serving":
        return Promise.resolve();
      case "starting":
        return phase.done;
      case "stopping":
        return phase.done.then(() => this.#start());
      case "idle": {
        const run = new BrokerRun(this.conf, {
          onEvent: (event) => publish(event, this, this.conf.logger),
          onError: (error) => this.#onLinkError(error),
        });
        const done = this.#bind(run);
        this.#phase = { name: "starting", run, done };
        return done;
      }
      default:
        return phase satisfies never;
    }
  }

  async #bind(run: BrokerRun): Promise<void> {
    try {
      await run.bind(this.#binds);
    } catch (error) {
      await run.close();
      this.#phase = { name: "idle" };
      throw error;
    }
    this.#phase = { name: "serving", run };
    this.conf.logger.info({ addresses: run.addresses }, "broker ready");
    this.emit("start");
    this.conf.onStart();
  }

  #stop(): Promise<void> {
    const phase = this.#phase;
    switch (phase.name) {
      case "idle":
        return Promise.resolve();
      case "starting":
        return phase.done.then(
          () => this.#stop(),
          () => {},
        );
      case "stopping":
        return phase.done;
      case "serving": {
        const done = this.#drainAndClose(phase.run);
        this.#phase = { name: "stopping", done };
        return done;
      }
      default:
        return phase satisfies never;
    }
  }

  async #drainAndClose(run: BrokerRun): Promise<void> {
    await run.drain();
    await this.#close(run);
  }

  async #close(run: BrokerRun): Promise<void> {
    await run.close();
    this.#phase = { name: "idle" };
    this.conf.logger.info("broker stopped");
    this.emit("stop");
    this.conf.onStop();
  }

  #onLinkError(error: LinkError): void {
    this.conf.logger.error(error, "the broker's socket failed");
    this.emit("error", error);
    if (this.#phase.name === "serving") this.#phase = { name: "stopping", done: this.#close(this.#phase.run) };
  }
}
