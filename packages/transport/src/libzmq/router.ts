// A router over libzmq: it binds, reads messages and delivers them. Messages to send wait in `RouterSendQueue`. libzmq does not
// report which peer connected or left, so `onPeerUp` is never called, and `onPeerDown` only after a send that found no peer.
//
// `unbind` disconnects the peers of that address, after writing their queued messages: libzmq ends their sessions with the
// listener. Over inproc they stay.

import type { Event, Router } from "zeromq";
import { type AddressKind, bindError, isIpv6, kindToBind, unbindError } from "../addresses.ts";
import type { FramesToSend } from "../byte-strings.ts";
import { systemClock, withTimeout } from "../clock.ts";
import { callHandler, throwAsync } from "../handlers.ts";
import { bindPath, removePath } from "../ipc-path.ts";
import {
  type ConnectionRejection,
  DEFAULT_LINK_LIMITS,
  LinkError,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { AcceptFailures } from "./accept-failures.ts";
import { ListenerSecurity } from "./listener-security.ts";
import { Monitor } from "./monitor.ts";
import { RouterSendQueue } from "./router-send-queue.ts";
import { listenerSecurityOptions, wireBytes } from "./security-options.ts";
import { receiveAll } from "./turns.ts";
import { ROUTER_KEEPALIVE, SHARED_OPTIONS, zeromq } from "./zeromq.ts";

/** Milliseconds that peers that do not read can delay an unbind. */
const UNBIND_FLUSH_MS = 1000;
/** A routing id that no dealer may have. */
const NO_PEER = Uint8Array.of(0);

export class LibzmqRouter implements RouterLink {
  readonly #handlers: RouterHandlers;
  readonly #socket: Router;
  readonly #queue: RouterSendQueue;
  /** Callbacks that wait for a listener to close, by its address. */
  readonly #unbinding = new Map<string, () => void>();
  readonly #inproc = new Set<string>();
  /** Addresses of paths, which libzmq does not remove. */
  readonly #paths = new Set<string>();
  #hasNetwork = false;
  #monitor: Monitor | undefined;
  readonly #security: ListenerSecurity | undefined;
  readonly #acceptFailures = new AcceptFailures((rejection) => this.#onRejected(rejection));
  #closing: Promise<void> | undefined;

  constructor(handlers: RouterHandlers, options: RouterOptions = {}) {
    const limits = { ...DEFAULT_LINK_LIMITS, ...options.limits };
    const { security } = options;
    this.#handlers = handlers;
    this.#socket = new (zeromq().Router)({
      ...SHARED_OPTIONS,
      ...ROUTER_KEEPALIVE,
      mandatory: true,
      handover: false,
      sendTimeout: 0,
      maxMessageSize: wireBytes(limits.maxFrameBytes, security),
      ...(security && { ...listenerSecurityOptions(security), handshakeInterval: limits.handshakeTimeoutMs }),
    });
    this.#security = security && new ListenerSecurity(security, (rejection) => this.#onRejected(rejection));
    this.#queue = new RouterSendQueue(this.#socket, limits, { handlers, onFailure: (cause) => this.#onFailure(cause) });
    void receiveAll(this.#socket, {
      onMessage: (frames) => this.#onMessage(frames),
      onFailure: (cause) => this.#onFailure(cause),
    });
  }

  async bind(address: string): Promise<string> {
    const kind = kindToBind(address);
    return bindPath(address, () => this.#bind(address, kind));
  }

  #bind(address: string, kind: AddressKind): string {
    if (this.#isClosing) throw new LinkError("CLOSED", `cannot bind ${address}: the router is closed`, { address });
    this.#security?.open(address);
    if (isIpv6(address) && !this.#socket.ipv6) this.#socket.ipv6 = true;
    if (kind !== "inproc") this.#monitored();
    try {
      // An asynchronous bind would run on another thread while this one uses the socket.
      this.#socket.bindSync(address);
    } catch (error) {
      throw bindError(address, error);
    }
    if (kind === "inproc") {
      this.#inproc.add(address);
      this.#wakeReader();
    } else {
      this.#hasNetwork = true;
    }
    const bound = this.#socket.lastEndpoint ?? address;
    if (kind === "ipc") this.#paths.add(bound);
    return bound;
  }

  async unbind(address: string): Promise<void> {
    const kind = kindToBind(address);
    if (this.#closing !== undefined) return this.#closing;
    // Nothing more can be written to the peers that this disconnects.
    if (kind !== "inproc") await withTimeout(this.#queue.flushed(), UNBIND_FLUSH_MS);
    if (this.#closing !== undefined) return this.#closing;
    const monitor = kind === "inproc" ? undefined : this.#monitored();
    try {
      // libzmq unbinds with disconnect, too. zeromq.js has no other way to do it on this thread.
      this.#socket.disconnect(address);
    } catch (error) {
      throw unbindError(address, error);
    }
    this.#inproc.delete(address);
    if (monitor === undefined) return;
    const closed = new Promise<void>((resolve) => this.#unbinding.set(address, resolve));
    await Promise.race([closed, monitor.ended]);
    this.#unbinding.delete(address);
    if (this.#paths.delete(address)) await removePath(address);
  }

  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#isClosing) return "unreachable";
    return this.#queue.send(peer, frames, options?.urgent ?? false);
  }

  close(lingerMs = 1000): Promise<void> {
    this.#closing ??= this.#close(systemClock.now() + lingerMs);
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(deadline: number): Promise<void> {
    await this.#closeSocket(deadline);
    // Not before: a peer that still connects must be authenticated.
    this.#security?.close();
  }

  async #closeSocket(deadline: number): Promise<void> {
    await withTimeout(this.#queue.flushed(), deadline - systemClock.now());
    this.#queue.abandon();
    // The socket may end after `close` has resolved, but its names must be free by then.
    for (const address of this.#inproc) this.#socket.disconnect(address);
    // Over inproc there is nothing to wait for: written messages are in the reader's queue already.
    if (!this.#hasNetwork) return this.#socket.close();
    await this.#monitored().closeSocket(deadline - systemClock.now());
    await Promise.all(Array.from(this.#paths, removePath));
  }

  /**
   * Binding attaches dealers that connected over inproc before, but does not wake a waiting read. A write does, even one that
   * finds no peer.
   */
  #wakeReader(): void {
    this.#socket.send([NO_PEER, NO_PEER]).catch(() => {});
  }

  #onMessage(frames: Buffer[]): void {
    const routingId = frames.shift();
    if (this.#isClosing || routingId === undefined) return;
    try {
      this.#handlers.onMessage(routingId.toString("latin1"), copyPinning(frames));
    } catch (error) {
      throwAsync(error);
    }
  }

  /** The monitor, created when it is first needed. */
  #monitored(): Monitor {
    this.#monitor ??= new Monitor(this.#socket, (event) => this.#onEvent(event));
    return this.#monitor;
  }

  #onEvent(event: Event): void {
    if (event.type === "close" || event.type === "close:error") this.#unbinding.get(event.address)?.();
    else this.#security?.onEvent(event);
    this.#acceptFailures.onEvent(event);
  }

  #onRejected(rejection: ConnectionRejection): void {
    if (!this.#isClosing) callHandler(() => this.#handlers.onRejected?.(rejection, undefined));
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close(0);
    const error = new LinkError("FAILED", `the router failed: ${String(cause)}`, { cause });
    callHandler(() => this.#handlers.onError?.(error));
  }
}

/** Frames up to this size are copies already. */
const MAX_COPIED_BYTES = 128;
/** From this size on a copy has memory of its own. */
const OWN_MEMORY_BYTES = 4 * 1024;
/** libzmq reads this many bytes at once. Larger messages have memory of their own. */
const READ_BYTES = 8 * 1024;

/**
 * Between these sizes, a frame keeps alive what libzmq read together with it, and nothing shows that. Copies do not, or show what they
 * keep alive. They cost no more than the frame's finalizer, which then runs soon.
 */
function copyPinning(frames: readonly Buffer[]): Buffer[] {
  return frames.map((frame) => (frame.length > MAX_COPIED_BYTES && frame.length <= READ_BYTES ? copyOf(frame) : frame));
}

/** Node 24 would copy even a frame of 8 KB into a pool, of 64 KiB, that small frames then keep alive. */
function copyOf(frame: Buffer): Buffer {
  if (frame.length < OWN_MEMORY_BYTES) return Buffer.from(frame);
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}
