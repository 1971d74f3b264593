// A publisher over libzmq's XPUB, which reports subscriptions, so that a late subscriber can get the latest message.
//
// libzmq drops a message for a subscriber with a full pipe and does not report it. So the publisher repeats the latest message,
// at once and then at growing pauses, for as long as it exists: a subscriber that had no room gets it later. libzmq sends to all
// subscribers, so repeats also reach those that have the message.

import type { Event, XPublisher } from "zeromq";
import { type AddressKind, bindError, isIpv6, kindToBind } from "../addresses.ts";
import { type Alarm, systemClock } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import { bindPath, removePath } from "../ipc-path.ts";
import {
  type ConnectionRejection,
  DEFAULT_LINK_LIMITS,
  type Frames,
  LinkError,
  type PublisherHandlers,
  type PublisherLink,
  type PublisherOptions,
} from "../link.ts";
import { MAX_PREFIX_BYTES } from "../prefixes.ts";
import { AcceptFailures } from "./accept-failures.ts";
import { ListenerSecurity } from "./listener-security.ts";
import { Monitor } from "./monitor.ts";
import { listenerSecurityOptions, wireBytes } from "./security-options.ts";
import { receiveAll } from "./turns.ts";
import { ROUTER_KEEPALIVE, zeromq } from "./zeromq.ts";

/** Messages that libzmq queues for one subscriber. Each supersedes the earlier ones, so few are enough. */
const HIGH_WATER_MARK = 4;
/** The most bytes of a subscription, which may be a command. libzmq disconnects a peer that sends more. */
const MAX_SUBSCRIPTION_BYTES = MAX_PREFIX_BYTES + "\u0009SUBSCRIBE".length;
const SUBSCRIBE = 1;
/** Milliseconds between a message and its first repeat, and the longest pause. Pauses double in between. */
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 10_000;

export class LibzmqPublisher implements PublisherLink {
  readonly #handlers: PublisherHandlers;
  readonly #socket: XPublisher;
  readonly #inproc = new Set<string>();
  /** Addresses of paths, which libzmq does not remove. */
  readonly #paths = new Set<string>();
  readonly #repeat: Alarm = systemClock.alarm(() => this.#onRepeat());
  readonly #security: ListenerSecurity | undefined;
  readonly #acceptFailures = new AcceptFailures((rejection) => this.#onRejected(rejection));
  /** Exists from before the first bind, except over inproc. */
  #monitor: Monitor | undefined;
  #latest: Frames | undefined;
  #isWriting = false;
  /** A message or a subscriber came while a write was in progress: write the latest again. */
  #isStale = false;
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
      ...(security && {
        ...listenerSecurityOptions(security),
        handshakeInterval: DEFAULT_LINK_LIMITS.handshakeTimeoutMs,
      }),
    });
    this.#security = security && new ListenerSecurity(security, (rejection) => this.#onRejected(rejection));
    void receiveAll(this.#socket, {
      onMessage: (frames) => {
        if (frames[0]?.[0] === SUBSCRIBE) this.#onSubscribed();
      },
      onFailure: (cause) => this.#onFailure(cause),
    });
  }

  async bind(address: string): Promise<string> {
    const kind = kindToBind(address);
    return bindPath(address, () => this.#bind(address, kind));
  }

  #bind(address: string, kind: AddressKind): string {
    if (this.#isClosing) throw new LinkError("CLOSED", `cannot bind ${address}: the publisher is closed`, { address });
    this.#security?.open(address);
    if (isIpv6(address) && !this.#socket.ipv6) this.#socket.ipv6 = true;
    if (kind !== "inproc") this.#monitor ??= new Monitor(this.#socket, (event) => this.#onEvent(event));
    try {
      // An asynchronous bind would run on another thread while this one uses the socket.
      this.#socket.bindSync(address);
    } catch (error) {
      throw bindError(address, error);
    }
    if (kind === "inproc") this.#inproc.add(address);
    // Subscribers may have connected over inproc before. Binding attaches them, but does not wake a waiting read.
    this.#write();
    const bound = this.#socket.lastEndpoint ?? address;
    if (kind === "ipc") this.#paths.add(bound);
    return bound;
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
    if (this.#monitor !== undefined) await this.#monitor.closeSocket(0);
    else this.#socket.close();
    await Promise.all(Array.from(this.#paths, removePath));
    this.#security?.close();
  }

  #write(): void {
    this.#isStale = this.#isWriting;
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
    if (this.#isStale) return this.#write();
    this.#repeatAfter(this.#pauseMs);
  }

  #onRepeat(): void {
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
    this.#write();
  }

  #repeatAfter(pauseMs: number): void {
    if (!this.#isClosing) this.#repeat.set(systemClock.now() + pauseMs);
  }

  /** Writes at once, but not more often than repeats: repeated subscriptions must not cause writes without bound. */
  #onSubscribed(): void {
    this.#repeatAfter(Math.max(0, this.#writtenAt + FIRST_PAUSE_MS - systemClock.now()));
  }

  #onEvent(event: Event): void {
    this.#security?.onEvent(event);
    this.#acceptFailures.onEvent(event);
  }

  #onRejected(rejection: ConnectionRejection): void {
    if (!this.#isClosing) callHandler(() => this.#handlers.onRejected?.(rejection));
  }

  #onFailure(cause: unknown): void {
    if (this.#isClosing) return;
    void this.close();
    const error = new LinkError("FAILED", `the publisher failed: ${String(cause)}`, { cause });
    callHandler(() => this.#handlers.onError?.(error));
  }
}
