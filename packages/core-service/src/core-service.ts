// A worker with a subscription to the broker's internal channel, on which the broker publishes a directory: which workers offer
// which services. Requests wait until the directory is current.
//
// A directory is current once it lists this worker: then it is at least as new as the worker's registration, which precedes every
// request. After a new connection to the broker or to the channel, a new directory is needed.

import {
  ConnectionWatch,
  guarded,
  invalidValue,
  isAddress,
  type Warnings,
  warningsOf,
  withStackOf,
} from "@pigato/peer";
import { RequestError, UsageError } from "@pigato/protocol";
import { DIRECTORY_TOPIC, decodeDirectory, nearestName, type ServiceMap } from "@pigato/protocol/internal";
import {
  type ConnectionRejection,
  type Frames,
  isLinkError,
  LinkError,
  type SubscriberHandlers,
  type SubscriberLink,
} from "@pigato/transport";
import { isWorkerOption, type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import { EventEmitter } from "eventemitter3";

/** The names of the options that a worker does not have. */
const OWN_OPTIONS = ["intch", "onRequest"];

/** All options of a worker, and these. */
export interface CoreServiceOptions extends WorkerOptions {
  /** The broker's internal channel: its `conf.intch`. It must be an address: `false` and `undefined` throw. */
  readonly intch: string | false | undefined;
  /** Handles each request. It gets the data, the reply and the directory: the workers of each service. */
  readonly onRequest: CoreServiceHandler;
}

/**
 * Handles a request. What it throws, or rejects with, becomes the error of the request.
 * @param services the workers of each service, no older than this worker's registration
 */
export type CoreServiceHandler = (data: unknown, reply: Reply, services: ServiceMap) => unknown;

/** Events are notifications: a listener is never required. */
export interface CoreServiceEvents {
  /** The directory has changed. */
  services: (services: ServiceMap) => void;
}

/** A service fed by the broker. Its name starts with `$`, by custom. */
export class CoreService extends EventEmitter<CoreServiceEvents> implements AsyncDisposable {
  /** The worker that handles the requests: for its events, options and id. */
  readonly worker: Worker;
  readonly #channel: string;
  #subscriber: SubscriberLink | undefined;
  #services: ServiceMap = new Map();
  #lastFrame: Uint8Array | undefined;
  #isCurrent = false;
  #lastRejection: ConnectionRejection["code"] | undefined;
  readonly #warnings: Warnings;
  /** Watches for a current directory while the worker is connected. */
  readonly #watch: ConnectionWatch;
  /** Why the last attempt to connect to the channel failed. */
  #lastFailure: LinkError | undefined;
  readonly #waiting = new Set<(isCurrent: boolean) => void>();

  /**
   * @param address the broker's address
   * @param service what to offer, e.g. `$dir`
   * @throws UsageError for an argument that cannot be used
   */
  constructor(address: string | readonly string[], service: string, options: CoreServiceOptions) {
    super();
    if (typeof options !== "object" || options === null) {
      throw invalidValue("the options of a core service", "an object with intch and onRequest", options);
    }
    rejectMisspelled(options);
    const { intch, onRequest, ...workerOptions } = options;
    if (typeof onRequest !== "function") throw invalidValue("onRequest", "a function that handles requests", onRequest);
    if (intch === false) throw new UsageError("a core service needs the broker's internal channel, and intch is false");
    if (!isAddress(intch)) {
      throw invalidValue("intch", "the address of the broker's internal channel, such as broker.conf.intch", intch);
    }
    this.#channel = intch;
    this.worker = new Worker(address, service, workerOptions);
    if (this.worker.conf.security !== undefined && intch.startsWith("inproc:")) {
      throw new UsageError(
        `intch must be one of tcp or ipc with curve or plain, because inproc has no security, not ${intch}`,
      );
    }
    const { clock } = this.worker.conf;
    this.#warnings = warningsOf(options.logger, clock);
    const name = `the internal channel of core service "${service}"`;
    this.#watch = new ConnectionWatch({
      clock,
      warnings: this.#warnings,
      name,
      address: () => intch,
      reason: () => this.#channelObstacle(),
    });
    this.worker.on("connecting", () => {
      this.#isCurrent = false;
      this.#watch.onStopped();
    });
    this.worker.on("connect", () => {
      if (!this.#isCurrent) this.#watch.onWaiting();
    });
    this.worker.on("request", async (data, reply) => {
      if (await this.#untilCurrent(reply.signal)) return onRequest(data, reply, this.#services);
      if (!reply.ended) reply.reject("the service stops");
    });
  }

  /** The latest directory: the workers of each service. Empty before the first one. */
  get services(): ServiceMap {
    return this.#services;
  }

  /**
   * Connects to the broker and to its channel. Safe to call twice.
   * @returns a promise that resolves when the broker has answered and published a directory, however long that takes. It rejects
   *   with a `RequestError` of the code `CLOSED` if `stop()` comes first, and with a `LinkError` for an address that cannot be
   *   used or, of the code `REFUSED`, a broker that rejects the worker. It need not be awaited: its rejection is never "unhandled".
   */
  start(): Promise<void> {
    const started = this.#start();
    started.catch(() => {});
    return started;
  }

  /** As of a worker: rejects new requests, lets running ones finish, closes. Safe to call twice. */
  async stop(): Promise<void> {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#watch.onStopped();
    this.#settle(false);
    await Promise.all([this.worker.stop(), subscriber?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    const site = new Error();
    this.#subscriber ??= this.#subscribe();
    await this.#startWorker();
    if (await this.#untilCurrent()) return;
    const message = "the service was stopped before the broker had published a directory";
    throw withStackOf(site, new RequestError({ code: "CLOSED", message, delivery: "not-sent" }));
  }

  async #startWorker(): Promise<void> {
    try {
      await this.worker.start();
    } catch (error) {
      // The worker has stopped by itself, so stop the rest. Otherwise `stop()` was called.
      if (isLinkError(error)) await this.stop();
      throw error;
    }
  }

  #subscribe(): SubscriberLink {
    const { transport, logger, security } = this.worker.conf;
    const handlers: SubscriberHandlers = {
      onUp: () => {
        if (this.#subscriber !== subscriber) return;
        this.#lastRejection = undefined;
        this.#lastFailure = undefined;
      },
      onAttemptFailed: (error) => {
        if (this.#subscriber === subscriber) this.#lastFailure = error;
      },
      onMessage: (frames) => {
        if (this.#subscriber === subscriber) this.#onMessage(frames);
      },
      onDown: () => {
        if (this.#subscriber !== subscriber) return;
        this.#isCurrent = false;
        this.#watch.onWaiting();
      },
      onRejected: (rejection) => {
        guarded(() =>
          logger.warn({ ...rejection, intch: this.#channel }, "connection to the internal channel rejected"),
        );
        if (this.#subscriber === subscriber) this.#onRejected(rejection);
      },
      onError: (error) => logger.error({ err: error, intch: this.#channel }, "the internal channel failed"),
    };
    // The channel authenticates its subscribers as the broker does its peers.
    const subscriber: SubscriberLink = transport.subscriber(handlers, { security });
    subscriber.subscribe(DIRECTORY_TOPIC);
    subscriber.connect(this.#channel);
    return subscriber;
  }

  /** Reported once, because the link keeps trying and is rejected each time. */
  #onRejected({ code, detail }: ConnectionRejection): void {
    if (this.#lastRejection === code) return;
    this.#lastRejection = code;
    const message = `connection to the internal channel at ${this.#channel} rejected: ${code}, ${detail}`;
    const error = new LinkError("REFUSED", message, { address: this.#channel });
    if (!this.worker.emit("error", error)) this.#warnings.onUnheard(error);
  }

  #onMessage([frame]: Frames): void {
    if (frame === undefined) return;
    const isNew = this.#lastFrame === undefined || Buffer.compare(this.#lastFrame, frame) !== 0;
    if (isNew) {
      const services = decodeDirectory(frame);
      if (services === undefined)
        return this.worker.conf.logger.warn({}, "a message on the internal channel is no directory");
      this.#lastFrame = frame;
      this.#services = services;
    }
    this.#isCurrent = this.#services.get(this.worker.service)?.includes(this.worker.socketId) ?? false;
    if (this.#isCurrent) {
      this.#watch.onConnected();
      this.#settle(true);
    }
    if (isNew) guarded(() => this.emit("services", this.#services));
  }

  /** Resolves to `false` if the request is aborted, or the service stops. */
  async #untilCurrent(signal?: AbortSignal): Promise<boolean> {
    if (this.#isCurrent) return true;
    if (this.#subscriber === undefined || signal?.aborted) return false;
    return new Promise((resolve) => {
      const settle = (isCurrent: boolean): void => {
        this.#waiting.delete(settle);
        signal?.removeEventListener("abort", onAbort);
        resolve(isCurrent);
      };
      const onAbort = (): void => settle(false);
      this.#waiting.add(settle);
      signal?.addEventListener("abort", onAbort);
    });
  }

  #channelObstacle(): string {
    if (this.#lastFailure !== undefined) return this.#lastFailure.message;
    return `no directory at ${this.#channel} lists this service: intch must be the channel of the same broker`;
  }

  #settle(isCurrent: boolean): void {
    for (const settle of this.#waiting) settle(isCurrent);
  }
}

/** An own option by another name would count as missing. The worker reports all other unknown options. */
function rejectMisspelled(options: object): void {
  for (const name of Object.keys(options)) {
    if (OWN_OPTIONS.includes(name) || isWorkerOption(name)) continue;
    const nearest = nearestName(name, OWN_OPTIONS);
    if (nearest !== undefined) {
      throw new UsageError(`a core service has no option "${name}": did you mean "${nearest}"?`);
    }
  }
}
