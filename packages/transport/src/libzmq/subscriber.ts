// A subscriber over libzmq's SUB, which reconnects and subscribes again by itself.

import type { Subscriber } from "zeromq";
import { callHandler } from "../handlers.ts";
import {
  DEFAULT_LINK_LIMITS,
  LinkError,
  type PeerFacts,
  type SubscriberHandlers,
  type SubscriberLink,
  type SubscriberOptions,
} from "../link.ts";
import { Prefixes } from "../prefixes.ts";
import { MonitoredConnection } from "./monitored-connection.ts";
import { peerSecurityOptions, wireBytes } from "./security-options.ts";
import { receiveAll } from "./turns.ts";
import { DEALER_HEARTBEATS, zeromq } from "./zeromq.ts";

/** Unread messages that libzmq queues: as few as a publisher does, because only the latest counts. */
const HIGH_WATER_MARK = 4;

export class LibzmqSubscriber implements SubscriberLink {
  readonly #handlers: SubscriberHandlers;
  readonly #socket: Subscriber;
  readonly #prefixes = new Prefixes();
  readonly #connection: MonitoredConnection;
  #isUp = false;
  #closing: Promise<void> | undefined;

  constructor(handlers: SubscriberHandlers, options: SubscriberOptions = {}) {
    const { reconnectMs = 100, reconnectMaxMs = 5000, maxFrameBytes = DEFAULT_LINK_LIMITS.maxFrameBytes } = options;
    this.#handlers = handlers;
    const mechanism = options.security?.mechanism ?? "NULL";
    this.#socket = new (zeromq().Subscriber)({
      ...DEALER_HEARTBEATS,
      receiveHighWaterMark: HIGH_WATER_MARK,
      reconnectInterval: reconnectMs,
      reconnectMaxInterval: reconnectMaxMs,
      maxMessageSize: wireBytes(maxFrameBytes, options.security),
      ...(options.security && peerSecurityOptions(options.security)),
      linger: 0,
    });
    const settings = { owner: "subscriber", longestPauseMs: reconnectMaxMs, mechanism } as const;
    this.#connection = new MonitoredConnection(this.#socket, settings, {
      onUp: (facts) => {
        this.#onDown();
        this.#onUp(facts);
      },
      onLost: () => this.#onDown(),
      onRejected: (rejection) => this.#call(() => this.#handlers.onRejected?.(rejection)),
      onAttemptFailed: (error) => this.#call(() => this.#handlers.onAttemptFailed?.(error)),
    });
  }

  subscribe(prefix: string): void {
    if (!this.#isClosing && this.#prefixes.add(prefix)) this.#socket.subscribe(Buffer.from(prefix, "latin1"));
  }

  connect(address: string): void {
    if (this.#isClosing) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the subscriber is closed`, { address });
    }
    this.#connection.connect(address);
    // Not before: connecting over inproc does not wake a read that already waits.
    void receiveAll(this.#socket, {
      onMessage: (frames) => this.#call(() => this.#handlers.onMessage(frames)),
      onFailure: (cause) => this.#onFailure(cause),
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(): Promise<void> {
    await this.#connection.closeSocket(0);
  }

  #onUp(facts: PeerFacts): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#call(() => this.#handlers.onUp?.(facts));
  }

  #onDown(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#call(() => this.#handlers.onDown?.());
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close();
    const error = new LinkError("FAILED", `the subscriber failed: ${String(cause)}`, { cause });
    callHandler(() => this.#handlers.onError?.(error));
  }

  /** Calls no handler after `close`. */
  #call(handler: () => void): void {
    if (!this.#isClosing) callHandler(handler);
  }
}
