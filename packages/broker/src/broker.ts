// The broker as its users hold it: options, start, stop, events. What runs in between is a `BrokerRun`.

import { guarded } from "@pigato/peer";
import type { LinkError } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { type DoorSettings, doorsOf, type Side, type Sides } from "./binds.ts";
import type { CoreStats } from "./core/core.ts";
import { type BrokerEvents, publish, publishRefusal } from "./events.ts";
import { type BrokerOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { BrokerRun } from "./run.ts";
import { checkAddresses } from "./security.ts";

/**
 * Queues requests and routes them to workers.
 *
 * Its events are for watching: `start`, `stop`, `error`, `worker:join`, `worker:leave`, `client:join`, `client:leave`,
 * `request:failed`, `request:cached`, `request:requeued`,
 * `request:restored`, `answer:held`, `answer:delivered`, `store:failed`, `connection:refused`, `violation`, `drop`.
 */
export class Broker extends EventEmitter<BrokerEvents> {
  /** The options in force. `conf.intch` is what core services are made with, before a start and after. */
  readonly conf: ResolvedOptions;
  readonly #doors: readonly DoorSettings[];
  /** Where the internal channel is to be bound: `conf` says where it is. */
  readonly #channel: string | false;
  /** What runs between a start and the next stop. */
  #run: BrokerRun | undefined;
  /** Starts and stops happen one after the other, in the order they were asked for. */
  #lastChange: Promise<void> = Promise.resolve();

  /**
   * @param where where to listen: `tcp://*:55555`, `tcp://127.0.0.1:*`, `ipc://path`, `inproc://name`, one or several; a
   * `Bind` for an address with a dialect of its own; `{ frontend, backend }` to keep clients and workers apart
   * @throws UsageError for a bad option, no address, or one that cannot be secured as the options ask
   */
  constructor(where: Side | Sides, conf: BrokerOptions = {}) {
    super();
    this.#doors = doorsOf(where);
    this.conf = resolveOptions(conf);
    this.#channel = this.conf.intch;
    const addresses = this.#doors.flatMap((door) => door.addresses);
    checkAddresses(this.#channel === false ? addresses : [...addresses, this.#channel], this.conf.securityOf);
  }

  /** The addresses it listens at, with real ports; empty while it does not. */
  get addresses(): readonly string[] {
    return this.#run?.addresses ?? [];
  }

  /** Counts of requests since the start and of what there is now; `undefined` while it does not serve. */
  stats(): CoreStats | undefined {
    return this.#run?.stats();
  }

  /**
   * Starts to listen. Resolves when every address is bound. A second call while it runs changes nothing.
   * @param callback called when it serves, or with what went wrong
   * @throws LinkError (rejects) when an address cannot be bound, or somebody else in this process answers for who may come
   *   in (ZAP), UsageError or the store's own error when the store
   *   cannot be read; nothing stays open then
   */
  start(callback?: (error?: unknown) => void): Promise<void> {
    const started = this.#afterLastChange(() => this.#start());
    if (callback)
      started.then(
        () => guarded(callback),
        (error: unknown) => guarded(() => callback(error)),
      );
    return started;
  }

  /**
   * Refuses new requests with `CLOSED`, lets open ones finish for at most `stopTimeoutMs`, tells the workers, closes.
   * Resolves when all is closed. Safe to call at any time, and twice.
   */
  stop(callback?: () => void): Promise<void> {
    const stopped = this.#afterLastChange(() => this.#stop());
    if (callback) stopped.finally(() => guarded(callback)).catch(() => {});
    return stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #afterLastChange(change: () => Promise<void>): Promise<void> {
    const done = this.#lastChange.then(change);
    this.#lastChange = done.catch(() => {});
    return done;
  }

  async #start(): Promise<void> {
    if (this.#run !== undefined) return;
    const run = new BrokerRun(this.#doors, this.conf, {
      onEvent: (event) => publish(event, this, this.conf.logger),
      onRefused: (refused) => publishRefusal(refused, this, this.conf.logger),
      onError: (error) => this.#onLinkError(run, error),
    });
    try {
      await run.restore();
      await run.bind();
      if (this.#channel !== false) this.conf.intch = await run.openChannel(this.#channel);
    } catch (error) {
      await run.close();
      throw error;
    }
    this.#run = run;
    guarded(() => this.conf.logger.info({ addresses: run.addresses, intch: this.conf.intch }, "broker ready"));
    guarded(() => this.emit("start"));
    guarded(() => this.conf.onStart());
  }

  async #stop(): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    await run.drain();
    await this.#close(run);
  }

  async #close(run: BrokerRun): Promise<void> {
    await run.close();
    this.#run = undefined;
    guarded(() => this.conf.logger.info("broker stopped"));
    guarded(() => this.emit("stop"));
    guarded(() => this.conf.onStop());
  }

  #onLinkError(run: BrokerRun, error: LinkError): void {
    // Before the listeners: one that throws must not keep the broker open.
    void this.#afterLastChange(async () => {
      if (this.#run === run) await this.#close(run);
    });
    guarded(() => this.conf.logger.error(error, "the broker's socket failed"));
    this.emit("error", error);
  }
}
