// A dealer over libzmq. libzmq reports connections apart from messages: a message that overtakes the event of its connection
// waits for it, and the end of a connection is reported only after its messages have been read.

import type { Dealer } from "zeromq";
import { type FramesToSend, routingIdBytes } from "../byte-strings.ts";
import { systemClock, withTimeout } from "../clock.ts";
import { callHandler } from "../handlers.ts";
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
import { Outbox } from "../outbox.ts";
import { DealerSendQueue } from "./dealer-send-queue.ts";
import { MonitoredConnection } from "./monitored-connection.ts";
import { peerSecurityOptions, wireBytes } from "./security-options.ts";
import { receiveAll } from "./turns.ts";
import { DEALER_HEARTBEATS, SHARED_OPTIONS, zeromq } from "./zeromq.ts";

export class LibzmqDealer implements DealerLink {
  readonly #handlers: DealerHandlers;
  readonly #socket: Dealer;
  readonly #queue: DealerSendQueue;
  readonly #connection: MonitoredConnection;
  #isUp = false;
  /** The connection is lost, but some of its messages have not been read. */
  #isEnding = false;
  /** Delivers the message that overtook the event of its connection. */
  #onNextUp: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** @param outbox may hold messages already */
  constructor(handlers: DealerHandlers, options: DealerOptions, outbox?: Outbox) {
    const { reconnectMs = 100, reconnectMaxMs = 5000 } = options;
    const routingId = routingIdBytes(options.routingId);
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#handlers = handlers;
    const mechanism = options.security?.mechanism ?? "NULL";
    this.#socket = new (zeromq().Dealer)({
      ...SHARED_OPTIONS,
      ...DEALER_HEARTBEATS,
      reconnectInterval: reconnectMs,
      reconnectMaxInterval: reconnectMaxMs,
      maxMessageSize: wireBytes(limits.maxFrameBytes, options.security),
      ...(options.security && peerSecurityOptions(options.security)),
    });
    // As bytes: zeromq.js accepts them, but its types only know text, which it would write as UTF-8.
    Reflect.set(this.#socket, "routingId", routingId);
    this.#queue = new DealerSendQueue(this.#socket, outbox ?? new Outbox(limits), {
      handlers,
      onFailure: (cause) => this.#onFailure(cause),
    });
    const settings = { owner: "dealer", longestPauseMs: reconnectMaxMs, mechanism } as const;
    this.#connection = new MonitoredConnection(this.#socket, settings, {
      onUp: (facts) => {
        this.#onDown();
        this.#onUp(facts);
      },
      onLost: () => {
        this.#isEnding = this.#isUp;
        this.#checkEnd();
      },
      onRejected: (rejection) => {
        if (!this.#isClosing) callHandler(() => this.#handlers.onRejected?.(rejection));
      },
      onAttemptFailed: (error) => {
        if (!this.#isClosing) callHandler(() => this.#handlers.onAttemptFailed?.(error));
      },
    });
    void receiveAll(this.#socket, {
      onMessage: (frames) => this.#onMessage(frames),
      onFailure: (cause) => this.#onFailure(cause),
    });
  }

  connect(address: string): void {
    if (this.#isClosing) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the dealer is closed`, { address });
    }
    this.#connection.connect(address);
  }

  send(frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#isClosing) return "congested";
    return this.#queue.send(frames, options?.urgent ?? false);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#close(systemClock.now() + lingerMs);
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(deadline: number): Promise<void> {
    await withTimeout(this.#queue.flushed(), deadline - systemClock.now());
    await this.#connection.closeSocket(deadline - systemClock.now());
    // A write that waited has ended by now, and counts either as done or as not started.
    this.#queue.abandon();
    this.#onNextUp?.();
  }

  #onMessage(frames: Frames): Promise<void> | void {
    if (!this.#isUp && !this.#isClosing) return this.#nextUp().then(() => this.#onMessage(frames));
    if (this.#isClosing) return;
    callHandler(() => this.#handlers.onMessage(frames));
    this.#checkEnd();
  }

  #nextUp(): Promise<void> {
    return new Promise((resolve) => {
      this.#onNextUp = resolve;
    });
  }

  #checkEnd(): void {
    if (this.#isEnding && !this.#socket.readable) this.#onDown();
  }

  #onUp(facts: PeerFacts): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#queue.setUp(true);
    if (!this.#isClosing) callHandler(() => this.#handlers.onUp?.(facts));
    this.#onNextUp?.();
  }

  #onDown(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#isEnding = false;
    this.#queue.setUp(false);
    if (!this.#isClosing) callHandler(() => this.#handlers.onDown?.());
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close(0);
    callHandler(() =>
      this.#handlers.onError?.(new LinkError("FAILED", `the dealer failed: ${String(cause)}`, { cause })),
    );
  }
}
