// The public class: options, start, stop and events. A `BrokerRun` serves between a start and a stop.

import { guarded, withStackOf } from "@pigato/peer";
import { isLinkError, type LinkError } from "@pigato/transport";
import { EventEmitter } from "eventemitter3";
import { type ListenerOptions, type ListenerSettings, type Listeners, listenersOf } from "./binds.ts";
import type { CoreStats } from "./core/core-stats.ts";
import type { BrokerEvents } from "./events.ts";
import { LogLimit } from "./log-limit.ts";
import { type BrokerOptions, type ResolvedOptions, resolveOptions } from "./options.ts";
import { type Publication, publish, publishRejection } from "./publish.ts";
import { BrokerRun, type Notice } from "./run.ts";
import { checkAddresses } from "./security.ts";

/**
 * Queues requests and routes them to workers.
 *
 * Its events are notifications: `start`, `stop`, `error`, `worker:join`, `worker:leave`, `client:join`, `client:leave`,
 * `request:failed`, `request:cached`, `request:requeued`, `request:exhausted`,
 * `request:restored`, `reply:held`, `reply:delivered`, `store:failed`, `connection:rejected`, `violation`, `drop`.
 */
export class Broker extends EventEmitter<BrokerEvents> {
  /** The options in force. Create core services with `conf.intch`, before or after a start. */
  readonly conf: ResolvedOptions;
  readonly #listeners: readonly ListenerSettings[];
  /** The address to bind the internal channel to. `conf.intch` is the address as bound. */
  readonly #channel: string | false;
  readonly #publication: Publication;
  /** The run between a start and the next stop. */
  #run: BrokerRun | undefined;
  /** Starts and stops run one after the other, in the order of the calls. */
  #lastChange: Promise<void> = Promise.resolve();

  /**
   * @param where where to listen: `tcp://*:55555`, `tcp://127.0.0.1:*`, `ipc://path`, `inproc://name`, one or several; a
   * `Bind` for an address with settings of its own; `{ frontend, backend }` to separate clients and workers
   * @throws UsageError for an invalid option, no address, or an address that cannot be secured as the options require
   */
  constructor(where: ListenerOptions | Listeners, conf: BrokerOptions = {}) {
    super();
    this.#listeners = listenersOf(where);
    this.conf = resolveOptions(conf);
    this.#channel = this.conf.intch;
    this.#publication = { emitter: this, logger: this.conf.logger, limit: new LogLimit(this.conf.clock) };
    const addresses = this.#listeners.flatMap((listener) => listener.addresses);
    checkAddresses(this.#channel === false ? addresses : [...addresses, this.#channel], this.conf.securityOf);
  }

  /** The addresses that it listens at, with real ports; empty while it is stopped. */
  get addresses(): readonly string[] {
    return this.#run?.addresses ?? [];
  }

  /** Counts of requests since the start, and of what is open now; `undefined` while it is stopped. */
  stats(): CoreStats | undefined {
    return this.#run?.stats();
  }

  /**
   * Starts to listen. Resolves when every address is bound. Does nothing while the broker runs.
   * @param callback called when the broker serves, or with the error
   * @throws LinkError (rejects) when an address cannot be bound, or another ZAP handler exists in this process; UsageError or the
   *   store's own error (rejects) when the store cannot be read. Nothing stays open then.
   */
  start(callback?: (error?: unknown) => void): Promise<void> {
    // The error was created in an event of a socket, so its stack does not show the caller.
    const site = new Error();
    const started = this.#afterLastChange(() => this.#start()).catch((error: unknown) => {
      throw isLinkError(error) ? withStackOf(site, error) : error;
    });
    if (callback)
      started.then(
        () => guarded(callback),
        (error: unknown) => guarded(() => callback(error)),
      );
    return started;
  }

  /**
   * Rejects new requests with `CLOSED`, waits at most `stopTimeoutMs` for open ones, disconnects the workers and closes.
   * Resolves when everything is closed. Safe to call at any time, and twice.
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
    const run = new BrokerRun(this.#listeners, this.conf, (notice) => this.#report(run, notice));
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
    guarded(() => this.conf.logger.info({}, "broker stopped"));
    guarded(() => this.emit("stop"));
    guarded(() => this.conf.onStop());
  }

  #report(run: BrokerRun, notice: Notice): void {
    switch (notice.type) {
      case "report":
        return publish(this.#publication, notice.event);
      case "rejected":
        return publishRejection(this.#publication, notice.rejected);
      case "link-failed":
        return this.#onLinkError(run, notice.error);
      default:
        notice satisfies never;
    }
  }

  #onLinkError(run: BrokerRun, error: LinkError): void {
    // Before the listeners: one that throws must not keep the broker open.
    void this.#afterLastChange(async () => {
      if (this.#run === run) await this.#close(run);
    });
    guarded(() => this.conf.logger.error({ err: error }, "the broker's socket failed"));
    this.emit("error", error);
  }
}
