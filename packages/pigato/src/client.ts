// The classic client: an adapter of the client of @pigato/client. `conf` may be changed at any time, requests may be made at any
// time, callbacks get 0 for success, and streams end after their error.

import { EventEmitter } from "node:events";
import { type CallOptions, type ClientOptions, isClientOption, Client as Peer } from "@pigato/client";
import { warningsOf } from "@pigato/peer";
import { type ConfOf, pickOptions } from "./conf.ts";
import { clientErrorEvent, emitError } from "./errors.ts";
import { ClassicLifecycle } from "./lifecycle.ts";
import { CallbackCaller, type FinalCallback, type PartialCallback, ReplyStream, StreamCaller } from "./replies.ts";
import { requestOptions } from "./request-options.ts";

/**
 * The options of a client, with the original's defaults, and any other key. A change applies from the next `start()`; changes
 * of `timeout`, `retry` and the listeners apply at once.
 */
export type ClientConf = ConfOf<ClientOptions, "onConnect" | "onDisconnect" | "onDisconnnect">;

/** The options of `@pigato/client`, and any other for the worker. */
export type RequestOptions = CallOptions & { readonly [other: string]: unknown };

export interface ClientEvents {
  start: [];
  stop: [];
  connect: [];
  disconnect: [];
  /** A word such as `ERR_MSG_HEADER` for a protocol error of the broker, or an `Error` for a local failure. */
  error: [error: unknown];
}

/** Behavior of the original that has no option. */
const AS_THE_ORIGINAL: ClientOptions = Object.freeze({
  negotiate: "announced",
  allowLoss: true,
  stopTimeoutMs: 0,
  maxQueuedRequests: 1_000_000,
  maxOpenRequests: 1_000_000,
});

export class Client extends EventEmitter<ClientEvents> {
  /** The address of the broker, or several that are tried in turn. */
  readonly broker: string | readonly string[];
  readonly conf: ClientConf;
  #lifecycle: ClassicLifecycle<Peer> | undefined;

  constructor(broker: string | readonly string[], conf?: ClientConf | null) {
    super();
    this.broker = broker;
    this.conf = {
      autostart: false,
      reconnect: 1000,
      heartbeat: 2500,
      timeout: 60_000,
      retry: 0,
      prefix: `C${crypto.randomUUID()}`,
      ...conf,
    };
    if (this.conf.autostart) this.start();
  }

  /** The client's id at the broker: new at every start. `undefined` while it is stopped. */
  get socketId(): string | undefined {
    return this.#lifecycle?.isRunning ? this.#lifecycle.peer.socketId : undefined;
  }

  /** Connects, and reconnects whenever the broker is lost. A client that runs is restarted. */
  start(): void {
    this.stop();
    this.#current().start();
  }

  /** Closes at once. Open requests get no further callback and no event. */
  stop(): void {
    const lifecycle = this.#lifecycle;
    if (!lifecycle?.isRunning) return;
    this.#lifecycle = undefined;
    void lifecycle.stop();
  }

  /**
   * Makes a request.
   * @param onPartial called with each partial value: `(null, value)`
   * @param onFinal called once: `(0, value)`, or `(error, null)`
   */
  request(
    service: string,
    data: unknown,
    onPartial: PartialCallback | null | undefined,
    onFinal: FinalCallback | null | undefined,
    options?: RequestOptions | null,
  ): void;
  /** Makes a request. The stream ends after an error, too. */
  request(service: string, data?: unknown, options?: RequestOptions | null): ReplyStream;
  request(...given: readonly unknown[]): ReplyStream | undefined {
    const [service, data, third, fourth, fifth] = given;
    if (given.length < 4) return this.#stream(service, data, third);
    this.#open(service, data, fifth, (lifecycle) => new CallbackCaller(lifecycle, third, fourth));
    return undefined;
  }

  requestStream(service: string, data?: unknown, options?: RequestOptions | null): ReplyStream {
    return this.#stream(service, data, options);
  }

  /**
   * Sends a heartbeat now.
   * @param request the id of a request whose caller still waits
   */
  heartbeat(request?: string): void {
    if (this.#lifecycle?.isRunning) this.#lifecycle.peer.heartbeat(request);
  }

  #stream(service: unknown, data: unknown, options: unknown): ReplyStream {
    const stream = new ReplyStream();
    stream.request = this.#open(service, data, options, (lifecycle) => new StreamCaller(lifecycle, stream));
    return stream;
  }

  #open(
    service: unknown,
    data: unknown,
    options: unknown,
    callerOf: (lifecycle: ClassicLifecycle<Peer>) => CallbackCaller | StreamCaller,
  ): ReturnType<Peer["open"]> {
    const lifecycle = this.#current();
    // An empty name is encoded as the name that brokers read it as.
    const name = String(service) || "UNK";
    return lifecycle.peer.open(name, data, callerOf(lifecycle), requestOptions(options, this.conf));
  }

  /** The running peer or, for requests that wait for it, the one that `start()` will start. */
  #current(): ClassicLifecycle<Peer> {
    this.#lifecycle ??= this.#newLifecycle();
    return this.#lifecycle;
  }

  #newLifecycle(): ClassicLifecycle<Peer> {
    const { onConnect, onDisconnect, autostart, ...given } = this.conf;
    const peer = new Peer(this.broker, { ...AS_THE_ORIGINAL, ...pickOptions(given, isClientOption) });
    const lifecycle = new ClassicLifecycle(peer, this);
    const warnings = warningsOf(this.conf.logger ?? undefined);
    peer.on("error", (error) => {
      if (!lifecycle.isStopped) emitError(this, clientErrorEvent(error), () => warnings.onUnheard(error));
    });
    return lifecycle;
  }
}
