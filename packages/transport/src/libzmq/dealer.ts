// A dealer over libzmq. Whether the other end is there, libzmq tells apart from the messages: a message that overtakes the
// news of its connection waits for it, and the news of a connection's end waits until the messages that came before it
// are read. Over inproc there is no such news: the other end counts as there from the moment of connecting, and its end
// is never told.

import type { Dealer } from "zeromq";
import { isIpv6, kindToConnect, refusal } from "../addresses.ts";
import { systemClock } from "../clock.ts";
import type { FramesToSend } from "../frames-to-send.ts";
import {
  DEFAULT_LINK_LIMITS,
  type DealerHandlers,
  type DealerLink,
  type DealerOptions,
  type Frames,
  LinkError,
  type PeerFacts,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { orAfter } from "../or-after.ts";
import { Outbox } from "../outbox.ts";
import { routingIdBytes } from "../routing-id.ts";
import type { Mechanism } from "../security/applicant.ts";
import { wireBytes } from "../security/security.ts";
import { surface } from "../surface.ts";
import { noSecurity } from "./admission.ts";
import { Connection } from "./connection.ts";
import { DealerSends } from "./dealer-sends.ts";
import { zeromq } from "./native.ts";
import { DEALER_HEARTBEATS, SHARED_OPTIONS } from "./socket-options.ts";
import { Turns } from "./turns.ts";

export class LibzmqDealer implements DealerLink {
  readonly #handlers: DealerHandlers;
  readonly #socket: Dealer;
  readonly #sends: DealerSends;
  readonly #longestPauseMs: number;
  readonly #mechanism: Mechanism;
  /** Over inproc there is none to watch. */
  #connection: Connection | undefined;
  #address: string | undefined;
  #isUp = false;
  /** The connection is lost, but messages of it are still to be read. */
  #isEnding = false;
  /** Lets the message go on that came before the news of its connection. */
  #onNextUp: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** @param outbox what waits already */
  constructor(handlers: DealerHandlers, options: DealerOptions, outbox?: Outbox) {
    const { reconnectMs = 100, reconnectMaxMs = 5000 } = options;
    const routingId = routingIdBytes(options.routingId);
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#handlers = handlers;
    this.#longestPauseMs = reconnectMaxMs;
    this.#mechanism = options.security?.mechanism ?? "NULL";
    this.#socket = new (zeromq().Dealer)({
      ...SHARED_OPTIONS,
      ...DEALER_HEARTBEATS,
      reconnectInterval: reconnectMs,
      reconnectMaxInterval: reconnectMaxMs,
      maxMessageSize: wireBytes(limits.maxFrameBytes, options.security),
      ...options.security?.socketOptions(),
    });
    // As bytes: zeromq.js takes them, but its types know text only, which it would write as UTF-8.
    Reflect.set(this.#socket, "routingId", routingId);
    this.#sends = new DealerSends(this.#socket, handlers, outbox ?? new Outbox(limits), (cause) =>
      this.#onFailure(cause),
    );
    void this.#receive();
  }

  connect(address: string): void {
    const kind = kindToConnect(address);
    if (this.#isClosing)
      throw new LinkError("CLOSED", `cannot connect to ${address}: the dealer is closed`, { address });
    if (this.#address !== undefined) {
      throw new LinkError("FAILED", `cannot connect to ${address}: the dealer connects to ${this.#address} already`);
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
  }

  send(frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#isClosing) return "congested";
    return this.#sends.send(frames, options?.urgent ?? false);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#close(systemClock.now() + lingerMs);
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(deadline: number): Promise<void> {
    await orAfter(deadline - systemClock.now(), this.#sends.flushed());
    await (this.#connection?.closeSocket(deadline - systemClock.now()) ?? this.#closeSocket());
    // A write that waited has ended by now, and is counted either as made or as still to be made.
    this.#sends.abandon();
    this.#onNextUp?.();
  }

  /** Over inproc, what was written is with its reader already. */
  async #closeSocket(): Promise<void> {
    this.#socket.close();
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
      while (!this.#isUp && !this.#isClosing) await this.#nextUp();
      if (this.#isClosing) return;
      this.#call(() => this.#handlers.onMessage(frames));
      this.#checkEnd();
      await turns.after(frames.length);
    }
  }

  #nextUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNextUp = resolve;
    });
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
      onLost: () => {
        this.#isEnding = this.#isUp;
        this.#checkEnd();
      },
      onRefused: (refused) => {
        if (!this.#isClosing) this.#call(() => this.#handlers.onRefused?.(refused));
      },
    });
    this.#connection.connect(address);
  }

  #checkEnd(): void {
    if (this.#isEnding && !this.#socket.readable) this.#onDown();
  }

  #onUp(facts: PeerFacts): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#sends.setUp(true);
    if (!this.#isClosing) this.#call(() => this.#handlers.onUp?.(facts));
    this.#onNextUp?.();
  }

  #onDown(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#isEnding = false;
    this.#sends.setUp(false);
    if (!this.#isClosing) this.#call(() => this.#handlers.onDown?.());
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close(0);
    this.#call(() =>
      this.#handlers.onError?.(new LinkError("FAILED", `the dealer failed: ${String(cause)}`, { cause })),
    );
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
