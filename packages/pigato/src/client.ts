// The classic client. What it does is done by the client of @pigato/client; here is how classic code holds it: live
// `conf`, requests at any time, callbacks that get 0 for success, streams that end behind their error.

import { EventEmitter } from "node:events";
import { type CallOptions, type ClientOptions, isClientOption, Client as Peer } from "@pigato/client";
import { type ConfOf, pickOptions } from "./conf.ts";
import { clientErrorEvent, emitError } from "./errors.ts";
import { Life } from "./lives.ts";
import { CallbackCaller, type FinalCallback, type PartialCallback, ReplyStream, StreamCaller } from "./replies.ts";
import { requestOptions } from "./request-options.ts";

/**
 * The options of a client, with their defaults where the original has one, and whatever else it was given. What is set
 * later holds from the next `start()`; `timeout`, `retry` and the listeners hold at once.
 */
export type ClientConf = ConfOf<ClientOptions, "onConnect" | "onDisconnect" | "onDisconnnect">;

/** What a request may carry: the options of `@pigato/client`, and anything for the worker. */
export type RequestOptions = CallOptions;

export interface ClientEvents {
  start: [];
  stop: [];
  connect: [];
  disconnect: [];
  /** A word such as `ERR_MSG_HEADER` for what a broker did, or an `Error` for what failed here. */
  error: [error: unknown];
}

/** What the original has no option for, set to what it does. */
const AS_THE_ORIGINAL: ClientOptions = Object.freeze({
  negotiate: false,
  stopTimeoutMs: 0,
  maxQueuedRequests: 1_000_000,
  maxOpenRequests: 1_000_000,
});

export class Client extends EventEmitter<ClientEvents> {
  /** The address of the broker, or several that are tried in turn. */
  readonly broker: string | readonly string[];
  readonly conf: ClientConf;
  #life: Life<Peer> | undefined;

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

  /** The id under which the broker knows this client: new at every start. `undefined` while it is stopped. */
  get socketId(): string | undefined {
    return this.#life?.isRunning ? this.#life.peer.socketId : undefined;
  }

  /** Connects, and comes back whenever the broker is lost. Of a client that runs, it is a new beginning. */
  start(): void {
    this.stop();
    this.#current().start();
  }

  /** Closes at once. Nothing more is said of requests that are open. */
  stop(): void {
    const life = this.#life;
    if (!life?.isRunning) return;
    this.#life = undefined;
    void life.stop();
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
  /** Makes a request. Its stream ends behind an error, too. */
  request(service: string, data?: unknown, options?: RequestOptions | null): ReplyStream;
  request(...given: readonly unknown[]): ReplyStream | undefined {
    const [service, data, third, fourth, fifth] = given;
    if (given.length < 4) return this.#stream(service, data, third);
    this.#open(service, data, fifth, (life) => new CallbackCaller(life, third, fourth));
    return undefined;
  }

  requestStream(service: string, data?: unknown, options?: RequestOptions | null): ReplyStream {
    return this.#stream(service, data, options);
  }

  /**
   * Sends a heartbeat now.
   * @param request the id of a request that somebody still waits for
   */
  heartbeat(request?: string): void {
    if (this.#life?.isRunning) this.#life.peer.heartbeat(request);
  }

  #stream(service: unknown, data: unknown, options: unknown): ReplyStream {
    const stream = new ReplyStream();
    stream.request = this.#open(service, data, options, (life) => new StreamCaller(life, stream));
    return stream;
  }

  #open(
    service: unknown,
    data: unknown,
    options: unknown,
    callerOf: (life: Life<Peer>) => CallbackCaller | StreamCaller,
  ): ReturnType<Peer["open"]> {
    const life = this.#current();
    // An empty name travels as the one that brokers read it as.
    const name = String(service) || "UNK";
    return life.peer.open(name, data, callerOf(life), requestOptions(options, this.conf));
  }

  /** The peer that runs or, made ahead for the requests that wait for it, the one that `start()` will start. */
  #current(): Life<Peer> {
    this.#life ??= this.#newLife();
    return this.#life;
  }

  #newLife(): Life<Peer> {
    const { onConnect, onDisconnect, autostart, ...given } = this.conf;
    const peer = new Peer(this.broker, { ...AS_THE_ORIGINAL, ...pickOptions(given, isClientOption) });
    const life = new Life(peer, this);
    peer.on("error", (error) => {
      if (!life.isOver) emitError(this, clientErrorEvent(error));
    });
    return life;
  }
}
