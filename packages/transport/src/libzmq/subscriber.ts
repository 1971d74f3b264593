// A subscriber over libzmq's SUB, which reconnects and subscribes again by itself. Over inproc the publisher counts as
// connected from the call to `connect` on, and its end is never reported.

import type { Subscriber } from "zeromq";
import { connectError, isIpv6, kindToConnect } from "../addresses.ts";
import { callHandler } from "../handlers.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type PeerFacts,
  type SubscriberHandlers,
  type SubscriberLink,
  type SubscriberOptions,
} from "../link.ts";
import { Prefixes } from "../prefixes.ts";
import { noSecurity } from "./listener-security.ts";
import { MonitoredConnection, type MonitoredConnectionSettings } from "./monitored-connection.ts";
import { peerSecurityOptions, wireBytes } from "./security-options.ts";
import { Turns } from "./turns.ts";
import { DEALER_HEARTBEATS, zeromq } from "./zeromq.ts";

/** Unread messages that libzmq queues: as few as a publisher does, because only the latest counts. */
const HIGH_WATER_MARK = 4;

export class LibzmqSubscriber implements SubscriberLink {
  readonly #handlers: SubscriberHandlers;
  readonly #socket: Subscriber;
  readonly #prefixes = new Prefixes();
  readonly #connectionSettings: MonitoredConnectionSettings;
  /** Missing over inproc, which has no events. */
  #connection: MonitoredConnection | undefined;
  #address: string | undefined;
  #isUp = false;
  #closing: Promise<void> | undefined;

  constructor(handlers: SubscriberHandlers, options: SubscriberOptions = {}) {
    const { reconnectMs = 100, reconnectMaxMs = 5000, maxFrameBytes = DEFAULT_LINK_LIMITS.maxFrameBytes } = options;
    this.#handlers = handlers;
    const mechanism = options.security?.mechanism ?? "NULL";
    this.#connectionSettings = { longestPauseMs: reconnectMaxMs, mechanism };
    this.#socket = new (zeromq().Subscriber)({
      ...DEALER_HEARTBEATS,
      receiveHighWaterMark: HIGH_WATER_MARK,
      reconnectInterval: reconnectMs,
      reconnectMaxInterval: reconnectMaxMs,
      maxMessageSize: wireBytes(maxFrameBytes, options.security),
      ...(options.security && peerSecurityOptions(options.security)),
      linger: 0,
    });
  }

  subscribe(prefix: string): void {
    if (!this.#isClosing && this.#prefixes.add(prefix)) this.#socket.subscribe(Buffer.from(prefix, "latin1"));
  }

  connect(address: string): void {
    const kind = kindToConnect(address);
    if (this.#isClosing) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the subscriber is closed`, { address });
    }
    if (this.#address !== undefined) {
      throw new LinkError(
        "FAILED",
        `cannot connect to ${address}: the subscriber already connects to ${this.#address}`,
      );
    }
    if (isIpv6(address)) this.#socket.ipv6 = true;
    try {
      if (kind === "inproc" && this.#connectionSettings.mechanism !== "NULL") throw noSecurity(address);
      if (kind === "inproc") this.#connectInproc(address);
      else this.#connectNetwork(address);
    } catch (error) {
      throw error instanceof LinkError ? error : connectError(address, error);
    }
    this.#address = address;
    // Not before: connecting over inproc does not wake a read that already waits.
    void this.#receive();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(): Promise<void> {
    if (this.#connection === undefined) this.#socket.close();
    else await this.#connection.closeSocket(0);
  }

  async #receive(): Promise<void> {
    const turns = new Turns();
    for (;;) {
      let frames: Frames;
      try {
        frames = await this.#socket.receive();
      } catch (error) {
        return this.#onFailure(error);
      }
      if (this.#isClosing) return;
      this.#call(() => this.#handlers.onMessage(frames));
      await turns.after(frames.length);
    }
  }

  #connectInproc(address: string): void {
    this.#socket.connect(address);
    queueMicrotask(() => this.#onUp({}));
  }

  #connectNetwork(address: string): void {
    this.#connection ??= new MonitoredConnection(this.#socket, this.#connectionSettings, {
      onUp: (facts) => {
        this.#onDown();
        this.#onUp(facts);
      },
      onLost: () => this.#onDown(),
      onRejected: (rejection) => this.#call(() => this.#handlers.onRejected?.(rejection)),
      onAttemptFailed: (error) => this.#call(() => this.#handlers.onAttemptFailed?.(error)),
    });
    this.#connection.connect(address);
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
