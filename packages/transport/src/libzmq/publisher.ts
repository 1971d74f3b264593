// A publisher over libzmq's XPUB, which tells of subscriptions, so that a late subscriber can be sent the latest message.
//
// libzmq drops what a subscriber's pipe has no room for, and says so to nobody. So the latest message is repeated, at once
// and then at growing pauses, for as long as there is a publisher: whoever had no room for it gets it later. libzmq sends
// to all or none, so that repeats reach those who have it already.

import type { Event, XPublisher } from "zeromq";
import { isIpv6, kindToBind, refusal, refuseTakenPath } from "../addresses.ts";
import { type Alarm, systemClock } from "../clock.ts";
import {
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type PublisherHandlers,
  type PublisherLink,
  type PublisherOptions,
  type Refusal,
} from "../link.ts";
import { MAX_PREFIX_BYTES } from "../prefixes.ts";
import { wireBytes } from "../security/security.ts";
import { surface } from "../surface.ts";
import { Admission } from "./admission.ts";
import { Monitor } from "./monitor.ts";
import { zeromq } from "./native.ts";
import { ROUTER_KEEPALIVE } from "./socket-options.ts";
import { Turns } from "./turns.ts";

/** Messages that libzmq holds for one subscriber. Each supersedes those before it, so a few are many. */
const HIGH_WATER_MARK = 4;
/** The most bytes of a subscription, which may come as a command; whoever sends more is cut off. */
const MAX_SUBSCRIPTION_BYTES = MAX_PREFIX_BYTES + "\u0009SUBSCRIBE".length;
const SUBSCRIBE = 1;
/** Milliseconds between a message and its first repeat, and what the pause grows to by doubling. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 10_000;

export class LibzmqPublisher implements PublisherLink {
  readonly #handlers: PublisherHandlers;
  readonly #socket: XPublisher;
  readonly #inproc = new Set<string>();
  readonly #repeat: Alarm = systemClock.alarm(() => this.#onRepeat());
  readonly #admission: Admission | undefined;
  /** With security, from before the first bind. */
  #monitor: Monitor | undefined;
  #hasNetwork = false;
  #latest: Frames | undefined;
  #isWriting = false;
  /** Whether the latest message came, or somebody who lacks it, while one was being written. */
  #isOwed = false;
  #writtenAt = Number.NEGATIVE_INFINITY;
  #pauseMs = FIRST_PAUSE_MS;
  #closing: Promise<void> | undefined;

  constructor(handlers: PublisherHandlers = {}, { security }: PublisherOptions = {}) {
    this.#handlers = handlers;
    this.#socket = new (zeromq().XPublisher)({
      ...ROUTER_KEEPALIVE,
      verbosity: "allSubs",
      sendHighWaterMark: HIGH_WATER_MARK,
      sendTimeout: 0,
      maxMessageSize: wireBytes(MAX_SUBSCRIPTION_BYTES, security),
      linger: 0,
      ...(security && { ...security.socketOptions(), handshakeInterval: DEFAULT_LINK_LIMITS.handshakeTimeoutMs }),
    });
    this.#admission = security && new Admission(security, (refusal) => this.#onRefused(refusal));
    void this.#receive();
  }

  async bind(address: string): Promise<string> {
    const kind = kindToBind(address);
    if (kind === "ipc") await refuseTakenPath(address);
    if (this.#isClosing) throw new LinkError("CLOSED", `cannot bind ${address}: the publisher is closed`, { address });
    this.#admission?.open(address);
    if (isIpv6(address) && !this.#socket.ipv6) this.#socket.ipv6 = true;
    const admission = this.#admission;
    if (admission !== undefined) this.#monitor ??= new Monitor(this.#socket, (event) => admission.onEvent(event));
    try {
      // An asynchronous bind would run on another thread, while this one goes on using the socket.
      this.#socket.bindSync(address);
    } catch (error) {
      throw refusal(address, error);
    }
    if (kind === "inproc") this.#inproc.add(address);
    else this.#hasNetwork = true;
    // Subscribers may have connected over inproc before: binding joins them, but wakes no read that waits already.
    this.#write();
    return this.#socket.lastEndpoint ?? address;
  }

  publish(frames: Frames): void {
    if (frames.length === 0) throw new TypeError("a message has at least one frame");
    if (this.#isClosing) return;
    this.#latest = frames;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#write();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  get #isClosing(): boolean {
    return this.#closing !== undefined;
  }

  async #close(): Promise<void> {
    this.#repeat.set(undefined);
    for (const address of this.#inproc) this.#socket.disconnect(address);
    if (this.#hasNetwork) await (this.#monitor ?? new Monitor(this.#socket, ignore)).closeSocket(0);
    else this.#socket.close();
    this.#admission?.close();
  }

  #write(): void {
    this.#isOwed = this.#isWriting;
    if (this.#isWriting || this.#latest === undefined) return;
    this.#isWriting = true;
    void this.#writeLatest(this.#latest);
  }

  async #writeLatest(frames: Frames): Promise<void> {
    try {
      await this.#socket.send([...frames]);
    } catch (error) {
      this.#onFailure(error);
    }
    this.#writtenAt = systemClock.now();
    this.#isWriting = false;
    if (this.#isOwed) return this.#write();
    this.#repeatAfter(this.#pauseMs);
  }

  #onRepeat(): void {
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#write();
  }

  #repeatAfter(pauseMs: number): void {
    if (!this.#isClosing) this.#repeat.set(systemClock.now() + pauseMs);
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
      if (frames[0]?.[0] === SUBSCRIBE) this.#onSubscribed();
      await turns.after(frames.length);
    }
  }

  /** At once, but not more often than repeats are: nobody shall make us write by subscribing again and again. */
  #onSubscribed(): void {
    this.#repeatAfter(Math.max(0, this.#writtenAt + FIRST_PAUSE_MS - systemClock.now()));
  }

  #onRefused(refusal: Refusal): void {
    if (this.#isClosing) return;
    try {
      this.#handlers.onRefused?.(refusal);
    } catch (error) {
      surface(error);
    }
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close();
    const error = new LinkError("FAILED", `the publisher failed: ${String(cause)}`, { cause });
    try {
      this.#handlers.onError?.(error);
    } catch (thrown) {
      surface(thrown);
    }
  }
}

function ignore(_event: Event): void {}
