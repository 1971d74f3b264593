// What the shells of a client and a worker share: start and stop, the link to the broker, and the events that users see. A
// shell passes it the effects and notices below, and handles its own.

import { type Clock, queueMicrotask } from "@pigato/transport";
import { BrokerLink, type BrokerLinkHandlers, type BrokerLinkOptions } from "./broker-link.ts";
import { ConnectionWatch } from "./connection-watch.ts";
import { guardedLogger, type Logger } from "./guard.ts";
import { Lifecycle, type PeerKind } from "./lifecycle.ts";
import type { LossReason } from "./session/connection.ts";
import type { RuntimeEffect, RuntimeInput } from "./session/effects.ts";
import type { Warnings } from "./warnings.ts";

export type RuntimeNotice =
  | { readonly type: "connecting" | "connected" | "stopped" }
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** `isFinal`: no other attempt will succeed, so a pending start fails. */
  | { readonly type: "error"; readonly error: Error; readonly isFinal: boolean };

/** The loop of the shell. */
export interface RuntimeLoop {
  apply(input: RuntimeInput): void;
  notify(notice: RuntimeNotice): void;
}

export interface RuntimeOptions extends BrokerLinkOptions {
  readonly kind: PeerKind;
  /** The peer, as a warning names it: "a client". */
  readonly name: string;
  readonly clock: Clock;
  readonly warnings: Warnings;
  readonly addresses: readonly string[];
}

/** The events that a client and a worker share. They are notifications: a listener is never required. */
export interface PeerEvents {
  /** `start()` was called. The peer may not be connected yet. */
  start(): void;
  /** The peer has stopped after `stop()`. */
  stop(): void;
  /** The peer opens a connection, with a new `socketId`: at each start, and after the loss of a connection. */
  connecting(): void;
  /** A broker answered on a new connection. */
  connect(): void;
  /** The connection is lost. The peer reconnects unless it was stopped. */
  disconnect(reason: LossReason): void;
  /** The connection failed, or the broker violated the protocol or rejected the connection. The peer continues. */
  error(error: Error): void;
}

type MessageHandlers = Pick<BrokerLinkHandlers, "onMessage" | "onOversized" | "onUndelivered" | "onDrain">;

export class PeerRuntime {
  readonly link: BrokerLink;
  readonly lifecycle: Lifecycle;
  readonly #loop: RuntimeLoop;
  readonly #options: RuntimeOptions;
  readonly #logger: Logger;
  readonly #events: PeerEvents;
  readonly #watch: ConnectionWatch;

  constructor(loop: RuntimeLoop, options: RuntimeOptions, handlers: MessageHandlers & { readonly events: PeerEvents }) {
    this.#loop = loop;
    this.#options = options;
    this.#logger = guardedLogger(options.logger);
    this.#events = handlers.events;
    this.lifecycle = new Lifecycle({
      kind: options.kind,
      begin: () => this.#begin(),
      end: () => loop.apply({ type: "stop" }),
    });
    this.link = new BrokerLink(options, {
      onMessage: handlers.onMessage,
      onOversized: handlers.onOversized,
      onUndelivered: handlers.onUndelivered,
      onDrain: handlers.onDrain,
      onUp: (announcement) => loop.apply({ type: "link-up", announcement }),
      onReceiving: () => loop.apply({ type: "receiving" }),
      onAttemptFailed: () => loop.apply({ type: "attempt-failed" }),
      onLost: (reason) => loop.apply({ type: "link-lost", reason }),
      onFailed: (error, isFinal) => this.onError(error, isFinal),
      onRejected: (error, isFinal) => this.onError(error, isFinal),
    });
    const { clock, warnings, name } = options;
    this.#watch = new ConnectionWatch({
      clock,
      warnings,
      name,
      address: () => this.address,
      reason: () => this.link.obstacle,
    });
  }

  /** Why there is no connection to a broker; `undefined` if there is one. */
  get obstacle(): string | undefined {
    if (this.#watch.isConnected) return undefined;
    return this.lifecycle.isNew ? `the ${this.#options.kind} was not started` : this.link.obstacle;
  }

  /** The address of the current connection, of the last one, or of the first attempt. */
  get address(): string {
    return this.link.address ?? this.#options.addresses[0] ?? "";
  }

  perform(effect: RuntimeEffect): void {
    switch (effect.type) {
      case "open":
        this.link.open(effect.address);
        return this.#loop.notify({ type: "connecting" });
      case "close":
        return this.link.close(effect.flush);
      case "connected":
        this.#watch.onConnected();
        this.#logger.info({ address: this.address, socketId: this.link.socketId }, "connected");
        return this.#loop.notify(effect);
      case "disconnected":
        this.#watch.onWaiting();
        this.link.onDisconnected();
        this.#logDisconnect(effect.reason);
        return this.#loop.notify(effect);
      case "stopped":
        this.#watch.onStopped();
        void this.link.closed().then(() => this.#loop.notify(effect));
        return;
      default:
        return effect satisfies never;
    }
  }

  deliver(notice: RuntimeNotice): void {
    switch (notice.type) {
      case "connecting":
        return this.#events.connecting();
      case "connected":
        this.lifecycle.onConnected();
        return this.#events.connect();
      case "disconnected":
        return this.#events.disconnect(notice.reason);
      case "stopped":
        this.lifecycle.onStopped();
        return this.#events.stop();
      case "error":
        if (notice.isFinal) this.lifecycle.onFailure(notice.error);
        return this.#events.error(notice.error);
      default:
        return notice satisfies never;
    }
  }

  /** @param isFinal whether it will fail again with this address; with several addresses, another one may work */
  onError(error: Error, isFinal: boolean): void {
    this.#loop.notify({ type: "error", error, isFinal: isFinal && this.#options.addresses.length === 1 });
  }

  #logDisconnect(reason: LossReason): void {
    const fields = { address: this.address, reason };
    if (this.lifecycle.isStopping && reason === "disconnected") this.#logger.info(fields, "disconnected");
    else this.#logger.warn(fields, "disconnected");
  }

  #begin(): void {
    // In a microtask, for listeners that are added right after the call of start().
    queueMicrotask(() => this.#events.start());
    this.#watch.onWaiting();
    this.#loop.apply({ type: "start" });
  }
}
