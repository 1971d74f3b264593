// A service that the broker keeps informed: a worker, and a subscription to the broker's internal channel. It decides when
// what it was told may be answered from; what to answer is its handler's.
//
// What it was told counts once it names this very worker: then it is at least as new as the worker's registration, which
// came before any request did. After a new connection of either kind, it has to be told again. Requests wait for that.

import { guarded } from "@pigato/peer";
import { DIRECTORY_TOPIC, decodeDirectory, RequestError, type ServiceMap, UsageError } from "@pigato/protocol";
import { type Frames, LinkError, type Refusal, type SubscriberHandlers, type SubscriberLink } from "@pigato/transport";
import { type Reply, Worker, type WorkerOptions } from "@pigato/worker";
import { EventEmitter } from "eventemitter3";

/** All options of a worker, and where to listen. */
export interface CoreServiceOptions extends WorkerOptions {
  /** The broker's internal channel: its `conf.intch`. */
  readonly intch: string;
}

/**
 * Handles a request. What it throws, or rejects with, becomes the error of the request.
 * @param services who serves what, no older than this worker's registration
 */
export type CoreServiceHandler = (data: unknown, reply: Reply, services: ServiceMap) => unknown;

/** For watching only. */
export interface CoreServiceEvents {
  /** The broker told who serves what, and it differs from what it told before. */
  services: (services: ServiceMap) => void;
}

/** A service fed by the broker. Its name starts with `$`, by custom. */
export class CoreService extends EventEmitter<CoreServiceEvents> implements AsyncDisposable {
  /** What takes the requests: for its events, its options and its id. */
  readonly worker: Worker;
  readonly #channel: string;
  #subscriber: SubscriberLink | undefined;
  #services: ServiceMap = new Map();
  #lastFrame: Uint8Array | undefined;
  #isCurrent = false;
  #lastRefusal: Refusal["code"] | undefined;
  readonly #waiting = new Set<(isCurrent: boolean) => void>();

  /**
   * @param address the broker's address
   * @param service what to offer, e.g. `$dir`
   * @throws UsageError for an argument that cannot be used
   */
  constructor(
    address: string | readonly string[],
    service: string,
    options: CoreServiceOptions,
    handle: CoreServiceHandler,
  ) {
    super();
    const { intch, ...workerOptions } = options;
    if (typeof intch !== "string" || intch === "") {
      throw new UsageError(`intch is the address of a broker's internal channel, not ${JSON.stringify(intch)}`);
    }
    this.#channel = intch;
    this.worker = new Worker(address, service, workerOptions);
    if (this.worker.conf.security !== undefined && intch.startsWith("inproc:")) {
      throw new UsageError(`with curve or plain the internal channel is at tcp or ipc, not at ${intch}`);
    }
    this.worker.on("connecting", () => {
      this.#isCurrent = false;
    });
    this.worker.on("request", async (data, reply) => {
      if (await this.#untilCurrent(reply.signal)) return handle(data, reply, this.#services);
      if (!reply.ended) reply.reject("the service stops");
    });
  }

  /** Who serves what, as told last; empty before the first time. */
  get services(): ServiceMap {
    return this.#services;
  }

  /**
   * Connects to the broker and to its channel. Safe to call twice.
   * @returns resolves when the broker has answered and has told who serves what, however long that takes. Rejects with a
   *   `RequestError` of the code `CLOSED` if `stop()` comes first, and with a `LinkError` for an address that cannot be
   *   used or, of the code `REFUSED`, a broker that does not let it in. Nobody needs to wait for it: its rejection is never "unhandled".
   */
  start(): Promise<void> {
    const started = this.#start();
    started.catch(() => {});
    return started;
  }

  /** As a worker's: gives new requests back, lets running ones finish, closes. Safe to call twice. */
  async stop(): Promise<void> {
    const subscriber = this.#subscriber;
    this.#subscriber = undefined;
    this.#settle(false);
    await Promise.all([this.worker.stop(), subscriber?.close()]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #start(): Promise<void> {
    this.#subscriber ??= this.#subscribe();
    await this.#startWorker();
    if (await this.#untilCurrent()) return;
    const message = "the service was stopped before the broker had told who serves what";
    throw new RequestError({ code: "CLOSED", message, delivery: "not-sent" });
  }

  async #startWorker(): Promise<void> {
    try {
      await this.worker.start();
    } catch (error) {
      // The worker has given up by itself, and so does the rest; otherwise somebody has called `stop()`.
      if (error instanceof LinkError) await this.stop();
      throw error;
    }
  }

  #subscribe(): SubscriberLink {
    const { transport, logger, security } = this.worker.conf;
    const handlers: SubscriberHandlers = {
      onUp: () => {
        if (this.#subscriber === subscriber) this.#lastRefusal = undefined;
      },
      onMessage: (frames) => {
        if (this.#subscriber === subscriber) this.#onMessage(frames);
      },
      onDown: () => {
        if (this.#subscriber === subscriber) this.#isCurrent = false;
      },
      onRefused: (refusal) => {
        logger.warn({ ...refusal, intch: this.#channel }, "the channel is not as it should be");
        if (this.#subscriber === subscriber) this.#onRefused(refusal);
      },
      onError: (error) => logger.error({ err: error, intch: this.#channel }, "the channel failed"),
    };
    // The channel lets in who shows what the broker is shown.
    const subscriber: SubscriberLink = transport.subscriber(handlers, { security });
    subscriber.subscribe(DIRECTORY_TOPIC);
    subscriber.connect(this.#channel);
    return subscriber;
  }

  /** It goes on trying, and is refused again and again; that is told once. */
  #onRefused({ code, detail }: Refusal): void {
    if (this.#lastRefusal === code) return;
    this.#lastRefusal = code;
    const message = `the internal channel at ${this.#channel} refused us, or we refused it: ${code}, ${detail}`;
    this.worker.emit("error", new LinkError("REFUSED", message, { address: this.#channel }));
  }

  #onMessage([frame]: Frames): void {
    if (frame === undefined) return;
    const isNew = this.#lastFrame === undefined || Buffer.compare(this.#lastFrame, frame) !== 0;
    if (isNew) {
      const services = decodeDirectory(frame);
      if (services === undefined) return this.worker.conf.logger.warn("what came on the channel is no directory");
      this.#lastFrame = frame;
      this.#services = services;
    }
    this.#isCurrent = this.#services.get(this.worker.service)?.includes(this.worker.socketId) ?? false;
    if (this.#isCurrent) this.#settle(true);
    if (isNew) guarded(() => this.emit("services", this.#services));
  }

  /** Resolves to false if nobody waits for an answer any more, or the service stops. */
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

  #settle(isCurrent: boolean): void {
    for (const settle of this.#waiting) settle(isCurrent);
  }
}
