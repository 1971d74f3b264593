// A subscriber over libzmq's SUB, which reconnects and subscribes again by itself. Over inproc the publisher counts as
// there from the moment of connecting, and its end is never told.

import type { Subscriber } from "zeromq";
import { isIpv6, kindToConnect, refusal } from "../addresses.ts";
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
import type { Mechanism } from "../security/applicant.ts";
import { wireBytes } from "../security/security.ts";
import { surface } from "../surface.ts";
import { noSecurity } from "./admission.ts";
import { Connection } from "./connection.ts";
import { zeromq } from "./native.ts";
import { DEALER_HEARTBEATS } from "./socket-options.ts";
import { Turns } from "./turns.ts";

/** Messages that libzmq holds unread: as few as a publisher holds, because only the latest counts. */
const HIGH_WATER_MARK = 4;

export class LibzmqSubscriber implements SubscriberLink {
  readonly #handlers: SubscriberHandlers;
  readonly #socket: Subscriber;
  readonly #prefixes = new Prefixes();
  readonly #longestPauseMs: number;
  readonly #mechanism: Mechanism;
  /** Over inproc there is none to watch. */
  #connection: Connection | undefined;
  #address: string | undefined;
  #isUp = false;
  #closing: Promise<void> | undefined;

  constructor(handlers: SubscriberHandlers, options: SubscriberOptions = {}) {
    const { reconnectMs = 100, reconnectMaxMs = 5000, maxFrameBytes = DEFAULT_LINK_LIMITS.maxFrameBytes } = options;
    this.#handlers = handlers;
    this.#longestPauseMs = reconnectMaxMs;
    this.#mechanism = options.security?.mechanism ?? "NULL";
    this.#socket = new (zeromq().Subscriber)({
      ...DEALER_HEARTBEATS,
      receiveHighWaterMark: HIGH_WATER_MARK,
      reconnectInterval: reconnectMs,
      reconnectMaxInterval: reconnectMaxMs,
      maxMessageSize: wireBytes(maxFrameBytes, options.security),
      ...options.security?.socketOptions(),
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
        `cannot connect to ${address}: the subscriber connects to ${this.#address} already`,
      );
    }
    if (isIpv6(address)) this.#socket.ipv6 = true;
    try {
      if (kind === "inproc" && this.#mechanism !== "NULL") throw noSecurity(address);
      if (kind === "inproc") this.#connectInproc(address);
      else this.#connectNetwork(address);
    } catch (error) {
      throw error instanceof LinkError ? error : refusal(address, error);
    }
    this.#address = address;
    // Not before: a read that waits when its socket connects over inproc is not woken by what comes.
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
    this.#connection ??= new Connection(this.#socket, this.#longestPauseMs, this.#mechanism, {
      onUp: (facts) => {
        this.#onDown();
        this.#onUp(facts);
      },
      onLost: () => this.#onDown(),
      onRefused: (refused) => this.#call(() => this.#handlers.onRefused?.(refused)),
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
    try {
      this.#handlers.onError?.(error);
    } catch (thrown) {
      surface(thrown);
    }
  }

  /** Nothing is told after `close`. */
  #call(handler: () => void): void {
    if (this.#isClosing) return;
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
