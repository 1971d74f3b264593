// A router's send queue: an outbox for each peer with waiting messages, and one write at a time among them.
//
// A write succeeds at once, or finds the peer's pipe full, or finds no such peer. It never waits, so a slow peer delays no
// other. libzmq does not report when a full pipe has room again: such a peer is retried after a pause, which grows while the
// pipe stays full. A peer has state here only while messages wait for it. Only libzmq knows who is connected.
//
// A peer that does not read cannot be disconnected. It loses the messages that wait for it, and is reported as down. What libzmq has
// taken for it stays there.

import type { Router } from "zeromq";
import { errorCode } from "../addresses.ts";
import { type FramesToSend, toBytes } from "../byte-strings.ts";
import { type Alarm, systemClock } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import type { ConnectionRejection, LinkLimits, RouterHandlers, SendOutcome } from "../link.ts";
import { Outbox } from "../outbox.ts";
import { Holding, SendBudget } from "../send-budget.ts";
import { queueMicrotask } from "../timers.ts";
import { Turns } from "./turns.ts";

/** Milliseconds before a full pipe is retried, at first and at most. The pause doubles in between. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 32;

interface Peer {
  readonly name: string;
  readonly routingId: Uint8Array;
  readonly outbox: Outbox;
  /** Milliseconds of the next pause; 0 if the last write succeeded. */
  pauseMs: number;
  retryAt: number;
  /** Since when its pipe is full; `undefined` if the last write succeeded. */
  fullSince: number | undefined;
  /** Why it loses its messages, in its next turn. */
  rejection: ConnectionRejection | undefined;
}

export interface RouterSendQueueOwner {
  readonly handlers: RouterHandlers;
  /** The socket failed. */
  onFailure(cause: unknown): void;
}

export class RouterSendQueue {
  readonly #socket: Router;
  readonly #limits: LinkLimits;
  readonly #owner: RouterSendQueueOwner;
  readonly #sending: SendBudget;
  readonly #retry: Alarm = systemClock.alarm(() => this.#onRetry());
  /** Peers with waiting messages. Each is in `ready` or in `blocked`, or a write to it is in progress. */
  readonly #peers = new Map<string, Peer>();
  /** Peers to write to next, in order. */
  readonly #ready = new Set<Peer>();
  /** Peers with a full pipe. */
  readonly #blocked = new Set<Peer>();
  #retryAt = Number.POSITIVE_INFINITY;
  readonly #turns = new Turns();
  #isWriting = false;
  #onFlushed: (() => void)[] = [];

  constructor(socket: Router, limits: LinkLimits, owner: RouterSendQueueOwner) {
    this.#socket = socket;
    this.#limits = limits;
    this.#sending = new SendBudget(limits);
    this.#owner = owner;
  }

  send(name: string, frames: FramesToSend, isUrgent: boolean): SendOutcome {
    const known = this.#peers.get(name);
    const peer = known ?? this.#newPeer(name);
    const outcome = peer.outbox.offer(frames, isUrgent);
    if (known === undefined && outcome !== "congested") {
      this.#peers.set(name, peer);
      this.#makeReady(peer);
    }
    return outcome;
  }

  /** Resolves when the queue is empty. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed.push(resolve);
      this.#checkFlushed();
    });
  }

  /** Empties the queue and reports each message as undelivered. */
  abandon(): void {
    const peers = [...this.#peers.values()];
    this.#peers.clear();
    this.#ready.clear();
    this.#blocked.clear();
    this.#setRetry(Number.POSITIVE_INFINITY);
    for (const peer of peers) this.#reportUndelivered(peer);
  }

  #newPeer(name: string): Peer {
    const holding = new Holding(this.#sending, (rejection) => this.#evict(peer, rejection));
    const outbox = new Outbox(this.#limits, holding);
    const routingId = Buffer.from(name, "latin1");
    const unblocked = { pauseMs: 0, retryAt: 0, fullSince: undefined, rejection: undefined };
    const peer: Peer = { name, routingId, outbox, ...unblocked };
    return peer;
  }

  /** Its handlers are called in its turn: a send to another peer must not call them. */
  #evict(peer: Peer, rejection: ConnectionRejection): void {
    peer.rejection = rejection;
    this.#blocked.delete(peer);
    this.#makeReady(peer);
  }

  #makeReady(peer: Peer): void {
    this.#ready.add(peer);
    if (this.#isWriting) return;
    this.#isWriting = true;
    queueMicrotask(() => void this.#write());
  }

  async #write(): Promise<void> {
    // Peers that become ready meanwhile are visited, too.
    for (const peer of this.#ready) {
      this.#ready.delete(peer);
      const frames = peer.outbox.first;
      if (peer.rejection !== undefined) this.#onGone(peer);
      if (peer.rejection !== undefined || frames === undefined) continue;
      try {
        await this.#socket.send([peer.routingId, ...toBytes(frames)]);
        this.#onWritten(peer);
      } catch (error) {
        this.#onSendFailure(peer, error);
      }
      await this.#turns.after(frames.length);
    }
    this.#isWriting = false;
    this.#checkFlushed();
  }

  #onWritten(peer: Peer): void {
    peer.outbox.shift();
    if (peer.rejection !== undefined) return;
    peer.pauseMs = 0;
    peer.fullSince = undefined;
    if (peer.outbox.isEmpty) this.#peers.delete(peer.name);
    else this.#ready.add(peer);
    if (peer.outbox.takeDrained()) callHandler(() => this.#owner.handlers.onDrain?.(peer.name));
  }

  #onSendFailure(peer: Peer, error: unknown): void {
    switch (errorCode(error)) {
      case "EAGAIN":
        return this.#onFull(peer);
      case "EHOSTUNREACH":
        return this.#onGone(peer);
      default:
        return this.#owner.onFailure(error);
    }
  }

  #onFull(peer: Peer): void {
    // It was evicted during the write, and has a turn of its own for that.
    if (peer.rejection !== undefined) return;
    // Reading `writable` makes libzmq process what its I/O thread has taken from the pipes. A plain send does so only once a
    // millisecond, and sees a full pipe until then.
    if (peer.pauseMs === 0 && this.#socket.writable) {
      peer.pauseMs = FIRST_PAUSE_MS;
      this.#ready.add(peer);
      return;
    }
    const now = systemClock.now();
    const { sendStallTimeoutMs } = this.#limits;
    peer.fullSince ??= now;
    if (now - peer.fullSince >= sendStallTimeoutMs) {
      const { waitingBytes } = peer.outbox;
      const detail = `it took no message in ${sendStallTimeoutMs} ms while ${waitingBytes} bytes waited for it`;
      peer.rejection = { code: "NOT_READING", detail };
      return this.#onGone(peer);
    }
    peer.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, peer.pauseMs));
    peer.retryAt = now + peer.pauseMs;
    peer.pauseMs *= 2;
    this.#blocked.add(peer);
    this.#setRetry(Math.min(this.#retryAt, peer.retryAt));
  }

  #onRetry(): void {
    const now = systemClock.now();
    let earliest = Number.POSITIVE_INFINITY;
    for (const peer of this.#blocked) {
      if (peer.retryAt > now) {
        earliest = Math.min(earliest, peer.retryAt);
        continue;
      }
      this.#blocked.delete(peer);
      this.#makeReady(peer);
    }
    this.#setRetry(earliest);
  }

  #setRetry(at: number): void {
    this.#retryAt = at;
    this.#retry.set(at);
  }

  #onGone(peer: Peer): void {
    if (this.#peers.get(peer.name) !== peer) return;
    this.#peers.delete(peer.name);
    // Every undelivered message is reported before the peer is reported down.
    this.#reportUndelivered(peer);
    const { rejection } = peer;
    if (rejection !== undefined) callHandler(() => this.#owner.handlers.onRejected?.(rejection, peer.name));
    callHandler(() => this.#owner.handlers.onPeerDown?.(peer.name));
  }

  #reportUndelivered(peer: Peer): void {
    for (let frames = peer.outbox.shift(); frames !== undefined; frames = peer.outbox.shift()) {
      const undelivered = toBytes(frames);
      callHandler(() => this.#owner.handlers.onUndelivered?.(peer.name, undelivered));
    }
  }

  #checkFlushed(): void {
    if (this.#peers.size > 0 || this.#isWriting) return;
    for (const resolve of this.#onFlushed.splice(0)) resolve();
  }
}
