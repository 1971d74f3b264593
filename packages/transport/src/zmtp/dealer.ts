// A dealer over ZMTP: one address, one connection at a time, and the next after a pause for as long as it is open. What
// is sent while there is no connection waits in the outbox, and leaves by the next one.

import { connect, type OnReadOpts } from "node:net";
import { systemClock } from "../clock.ts";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
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
import { surface } from "../surface.ts";
import { Backoff } from "./backoff.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Connection, type ConnectionOwner, type ConnectionSettings } from "./connection.ts";
import { type Endpoint, endpointToConnect, remoteAddress } from "./endpoints.ts";
import { Flusher } from "./flusher.ts";
import type { Violation } from "./violation.ts";

const PEER_TYPES: ReadonlySet<string> = new Set(["ROUTER", "REP", "DEALER"]);
/** What one read takes, into the same memory every time. */
const READ_BYTES = 64 * 1024;

export class ZmtpDealer implements DealerLink, ConnectionOwner {
  readonly #handlers: DealerHandlers;
  readonly #settings: ConnectionSettings;
  readonly #outbox: Outbox;
  readonly #backoff: Backoff;
  readonly #retry = systemClock.alarm(() => this.#attempt());
  #endpoint: Endpoint | undefined;
  #readBuffer: Buffer | undefined;
  #address = "";
  #facts: PeerFacts = {};
  #connection: Connection | undefined;
  #onUpWhileClosing: (() => void) | undefined;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /** @param outbox what waits already */
  constructor(handlers: DealerHandlers, options: DealerOptions, outbox?: Outbox) {
    const { reconnectMs = 100, reconnectMaxMs = 5000 } = options;
    routingIdBytes(options.routingId);
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    this.#handlers = handlers;
    this.#outbox = outbox ?? new Outbox(limits);
    this.#backoff = new Backoff(reconnectMs, reconnectMaxMs, Math.random);
    this.#settings = {
      socketType: "DEALER",
      peerTypes: PEER_TYPES,
      routingId: options.routingId,
      isActive: true,
      limits,
      pool: new BufferPool(),
      flusher: new Flusher(process.nextTick),
    };
  }

  connect(address: string): void {
    const endpoint = endpointToConnect(address);
    if (this.#closing !== undefined) {
      throw new LinkError("CLOSED", `cannot connect to ${address}: the dealer is closed`, { address });
    }
    if (this.#endpoint !== undefined) {
      throw new LinkError("FAILED", `cannot connect to ${address}: the dealer connects to ${this.#address} already`);
    }
    this.#endpoint = endpoint;
    this.#address = address;
    this.#attempt();
  }

  send(frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#closing !== undefined) return "congested";
    const isUrgent = options?.urgent ?? false;
    const connection = this.#connection;
    return connection?.isUp ? connection.send(frames, isUrgent) : this.#outbox.offer(frames, isUrgent);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#close(lingerMs);
    return this.#closing;
  }

  async #close(lingerMs: number): Promise<void> {
    const deadline = systemClock.now() + lingerMs;
    if (!this.#outbox.isEmpty && !this.#connection?.isUp) {
      await orAfter(
        lingerMs,
        new Promise((resolve) => {
          this.#onUpWhileClosing = resolve;
        }),
      );
    }
    await this.#connection?.finish(Math.max(0, deadline - systemClock.now()));
    this.#isClosed = true;
    this.#retry.set(undefined);
    for (let frames = this.#outbox.shift(); frames !== undefined; frames = this.#outbox.shift()) {
      const undelivered = asBytes(frames);
      this.#call(() => this.#handlers.onUndelivered?.(undelivered));
    }
  }

  #attempt(): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined || this.#isClosed) return;
    this.#readBuffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
    const buffer = this.#readBuffer;
    const onread: OnReadOpts = { buffer, callback: (bytes) => connection.onData(buffer.subarray(0, bytes), false) };
    const socket = connect({ ...endpoint, onread, noDelay: true, keepAlive: true });
    const connection = new Connection(socket, this.#outbox, this.#settings, this);
    this.#connection = connection;
    socket.once("connect", () => {
      const address = remoteAddress(socket);
      this.#facts = { remoteAddress: address ?? this.#address };
      connection.greet();
    });
  }

  onReady(): undefined {}

  onUp(): void {
    this.#backoff.reset();
    if (this.#closing === undefined) this.#call(() => this.#handlers.onUp?.(this.#facts));
    this.#onUpWhileClosing?.();
  }

  onMessage(_connection: Connection, frames: Frames): void {
    if (this.#closing !== undefined) return;
    try {
      this.#handlers.onMessage(frames);
    } catch (error) {
      surface(error);
    }
  }

  onDrain(): void {
    this.#call(() => this.#handlers.onDrain?.());
  }

  onEnd(connection: Connection, violation: Violation | undefined): void {
    this.#connection = undefined;
    if (!this.#isClosed) this.#retry.set(systemClock.now() + this.#backoff.next());
    if (this.#closing !== undefined) return;
    if (violation !== undefined) this.#call(() => this.#handlers.onRefused?.({ ...violation, ...this.#facts }));
    if (connection.wasUp) this.#call(() => this.#handlers.onDown?.());
  }

  #call(handler: () => void): void {
    try {
      handler();
    } catch (error) {
      surface(error);
    }
  }
}
