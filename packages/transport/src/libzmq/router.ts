// A router over libzmq: it binds, reads one message after the other and hands them on; what it sends waits in
// `RouterSends`. libzmq tells a router neither who connected nor who left, so `onPeerUp` is never called, and
// `onPeerDown` only when a message finds nobody.
//
// `unbind` cuts the peers that came in through that address, after writing what they were sent: libzmq ends their
// sessions with the listener. Over inproc they stay.

import type { Event, Router } from "zeromq";
import { isIpv6, kindToBind, refusal, refuseTakenPath } from "../addresses.ts";
import { systemClock } from "../clock.ts";
import type { FramesToSend } from "../frames-to-send.ts";
import {
  DEFAULT_LINK_LIMITS,
  LinkError,
  type Refusal,
  type RouterHandlers,
  type RouterLink,
  type RouterOptions,
  type SendOptions,
  type SendOutcome,
} from "../link.ts";
import { orAfter } from "../or-after.ts";
import { wireBytes } from "../security/security.ts";
import { surface } from "../surface.ts";
import { Admission } from "./admission.ts";
import { Monitor } from "./monitor.ts";
import { zeromq } from "./native.ts";
import { RouterSends } from "./router-sends.ts";
import { ROUTER_KEEPALIVE, SHARED_OPTIONS } from "./socket-options.ts";
import { Turns } from "./turns.ts";

/** Milliseconds that peers which do not read can hold up an unbind. */
const UNBIND_FLUSH_MS = 1000;
/** No dealer may have this routing id. */
const NOBODY = Uint8Array.of(0);

export class LibzmqRouter implements RouterLink {
  readonly #handlers: RouterHandlers;
  readonly #socket: Router;
  readonly #sends: RouterSends;
  /** Whoever waits for a listener to be closed, by its address. */
  readonly #unbinding = new Map<string, () => void>();
  readonly #inproc = new Set<string>();
  #hasNetwork = false;
  #monitor: Monitor | undefined;
  readonly #admission: Admission | undefined;
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
      ...(security && { ...security.socketOptions(), handshakeInterval: limits.handshakeTimeoutMs }),
    });
    this.#admission = security && new Admission(security, (refusal) => this.#onRefused(refusal));
    this.#sends = new RouterSends(this.#socket, handlers, limits, (cause) => this.#onFailure(cause));
    void this.#receive();
  }

  async bind(address: string): Promise<string> {
    const kind = kindToBind(address);
    if (kind === "ipc") await refuseTakenPath(address);
    if (this.#isClosing) throw new LinkError("CLOSED", `cannot bind ${address}: the router is closed`, { address });
    this.#admission?.open(address);
    if (isIpv6(address) && !this.#socket.ipv6) this.#socket.ipv6 = true;
    if (this.#admission !== undefined) this.#watched();
    try {
      // An asynchronous bind would run on another thread, while this one goes on using the socket.
      this.#socket.bindSync(address);
    } catch (error) {
      throw refusal(address, error);
    }
    if (kind === "inproc") {
      this.#inproc.add(address);
      this.#wakeReader();
    } else {
      this.#hasNetwork = true;
    }
    return this.#socket.lastEndpoint ?? address;
  }

  async unbind(address: string): Promise<void> {
    const kind = kindToBind(address);
    if (this.#closing !== undefined) return this.#closing;
    // Nothing more can be written to the peers that this cuts off.
    if (kind !== "inproc") await orAfter(UNBIND_FLUSH_MS, this.#sends.flushed());
    if (this.#closing !== undefined) return this.#closing;
    const monitor = kind === "inproc" ? undefined : this.#watched();
    try {
      // To libzmq, to disconnect is to unbind; zeromq.js has no other way to do it on this thread.
      this.#socket.disconnect(address);
    } catch (error) {
      throw refusal(address, error);
    }
    this.#inproc.delete(address);
    if (monitor === undefined) return;
    const closed = new Promise<void>((resolve) => this.#unbinding.set(address, resolve));
    await Promise.race([closed, monitor.ended]);
    this.#unbinding.delete(address);
  }

  send(peer: string, frames: FramesToSend, options?: SendOptions): SendOutcome {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#isClosing) return "unreachable";
    return this.#sends.send(peer, frames, options?.urgent ?? false);
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
    // Not before: whoever still came in would not have been asked who it is.
    this.#admission?.close();
  }

  async #closeSocket(deadline: number): Promise<void> {
    await orAfter(deadline - systemClock.now(), this.#sends.flushed());
    this.#sends.abandon();
    // The socket may take longer to end than anybody waits for; its names shall be free by then.
    for (const address of this.#inproc) this.#socket.disconnect(address);
    if (this.#hasNetwork) return this.#watched().closeSocket(deadline - systemClock.now());
    // Over inproc there is nothing to wait for: what was written is with its reader already.
    this.#socket.close();
  }

  /**
   * Dealers that connected over inproc before there was anything to connect to are joined by binding, which wakes no read
   * that waits already. A write does, even one that finds nobody.
   */
  #wakeReader(): void {
    this.#socket.send([NOBODY, NOBODY]).catch(() => {});
  }

  async #receive(): Promise<void> {
    const turns = new Turns();
    for (;;) {
      let frames: Buffer[];
      try {
        frames = await this.#socket.receive();
      } catch (error) {
        return this.#onFailure(error);
      }
      if (this.#isClosing) return;
      const routingId = frames.shift();
      if (routingId === undefined) continue;
      try {
        this.#handlers.onMessage(routingId.toString("latin1"), frames);
      } catch (error) {
        surface(error);
      }
      await turns.after(frames.length);
    }
  }

  /** Watching starts when something has to be known of libzmq. */
  #watched(): Monitor {
    this.#monitor ??= new Monitor(this.#socket, (event) => this.#onEvent(event));
    return this.#monitor;
  }

  #onEvent(event: Event): void {
    if (event.type === "close" || event.type === "close:error") this.#unbinding.get(event.address)?.();
    else this.#admission?.onEvent(event);
  }

  #onRefused(refusal: Refusal): void {
    if (this.#isClosing) return;
    try {
      this.#handlers.onRefused?.(refusal, undefined);
    } catch (error) {
      surface(error);
    }
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close(0);
    this.#handlers.onError?.(new LinkError("FAILED", `the router failed: ${String(cause)}`, { cause }));
  }
}
