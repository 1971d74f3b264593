// The classic broker: an adapter of the broker of @pigato/broker. `conf` may be changed at any time, and `start()` and `stop()`
// take callbacks.

import { EventEmitter } from "node:events";
import { type BrokerOptions, isBrokerOption, newChannelAddress, Broker as Peer } from "@pigato/broker";
import { guarded, queueMicrotask } from "@pigato/peer";
import { type ConfOf, callListeners, pickOptions } from "./conf.ts";
import { brokerErrorEvent, emitError } from "./errors.ts";

/**
 * The options of a broker, with their defaults where the original has one, and whatever else it was given. What is set
 * later holds from the next `start()`; the listeners hold at once.
 */
export type BrokerConf = ConfOf<BrokerOptions, "onStart" | "onStop">;

export interface BrokerEvents {
  start: [];
  stop: [];
  /** A word such as `ERR_MSG_HEADER` for what a peer did, or an `Error` for what failed here. */
  error: [error: unknown];
}

/** The behavior of the original, which has no option for it. */
const AS_THE_ORIGINAL: BrokerOptions = Object.freeze({ stopTimeoutMs: 100, whenDeclined: "wait" });

export class Broker extends EventEmitter<BrokerEvents> {
  /** Where to listen. */
  readonly endpoint: string;
  readonly conf: BrokerConf;
  #peer: Peer | undefined;

  constructor(endpoint: string, conf?: BrokerConf | null) {
    super();
    this.endpoint = endpoint;
    this.conf = {
      heartbeat: 2500,
      dmode: "load",
      name: `B${crypto.randomUUID()}`,
      intch: newChannelAddress(),
      ...conf,
    };
  }

  /** The addresses it listens at, with real ports; empty while it does not. */
  get addresses(): readonly string[] {
    return this.#peer?.addresses ?? [];
  }

  /**
   * Starts to listen.
   * @param callback called when it serves, or with what went wrong. An error without a callback is an `error` event, and
   *   without a listener an uncaught exception: a broker that cannot listen is of no use.
   */
  start(callback?: (error?: unknown) => void): void {
    const peer = this.#newPeer(callback);
    if (peer === undefined) return;
    const previous = this.#peer;
    this.#peer = peer;
    void (previous?.stop() ?? Promise.resolve())
      .then(() => peer.start())
      .then(
        () => this.#onStarted(peer, callback),
        (error: unknown) => this.#onFailed(peer, error, callback),
      );
  }

  /**
   * Waits a tenth of a second for running requests, disconnects the workers and closes.
   * @param callback called when all is closed
   */
  stop(callback?: () => void): void {
    const peer = this.#peer;
    this.#peer = undefined;
    void (peer?.stop() ?? Promise.resolve()).then(() => {
      callListeners(this.conf, "onStop");
      guarded(() => this.emit("stop"));
      callback?.();
    });
  }

  /** @returns `undefined` for an address that is none, or an option out of its bounds: reported as a failed start */
  #newPeer(callback: ((error?: unknown) => void) | undefined): Peer | undefined {
    const { onStart, onStop, ...given } = this.conf;
    let peer: Peer;
    try {
      peer = new Peer(this.endpoint, { ...AS_THE_ORIGINAL, ...pickOptions(given, isBrokerOption) });
    } catch (error) {
      queueMicrotask(() => this.#fail(error, callback));
      return undefined;
    }
    // As text: where an `Error` belongs to another realm than Node, as in jest, Node rejects it.
    peer.on("error", (error) => emitError(this, error, () => process.emitWarning(error.message, error.name)));
    peer.on("violation", ({ clause }) => {
      const word = brokerErrorEvent(clause);
      if (word !== undefined) emitError(this, word, () => {});
    });
    return peer;
  }

  #onStarted(peer: Peer, callback: ((error?: unknown) => void) | undefined): void {
    this.conf.intch = peer.conf.intch;
    callListeners(this.conf, "onStart");
    guarded(() => this.emit("start"));
    callback?.();
  }

  #onFailed(peer: Peer, error: unknown, callback: ((error?: unknown) => void) | undefined): void {
    if (this.#peer === peer) this.#peer = undefined;
    this.#fail(error, callback);
  }

  #fail(error: unknown, callback: ((error?: unknown) => void) | undefined): void {
    if (callback === undefined) this.emit("error", error);
    else callback(error);
  }
}
