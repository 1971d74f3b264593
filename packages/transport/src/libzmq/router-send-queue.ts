// A router's send queue: an outbox for each peer with waiting messages, and one write at a time among them.
//
// A write succeeds at once, or finds the peer's pipe full, or finds no such peer. It never waits, so a slow peer delays no
// other. libzmq does not report when a full pipe has room again: such a peer is retried after a pause, which grows while the
// pipe stays full. A peer has state here only while messages wait for it. Only libzmq knows who is connected.

import type { Router } from "zeromq";
import { errorCode } from "../addresses.ts";
import { type FramesToSend, toBytes } from "../byte-strings.ts";
import { type Alarm, systemClock } from "../clock.ts";
import { callHandler } from "../handlers.ts";
import type { LinkLimits, RouterHandlers, SendOutcome } from "../link.ts";
import { Outbox, type Tally } from "../outbox.ts";
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
  readonly #total: Tally = { bytes: 0, messages: 0 };
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
    const outbox = new Outbox(this.#limits, this.#total);
    return { name, routingId: Buffer.from(name, "latin1"), outbox, pauseMs: 0, retryAt: 0 };
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
      if (frames === undefined) continue;
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
    peer.pauseMs = 0;
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
    // Reading `writable` makes libzmq process what its I/O thread has taken from the pipes. A plain send does so only once a
    // millisecond, and sees a full pipe until then.
    if (peer.pauseMs === 0 && this.#socket.writable) {
      peer.pauseMs = FIRST_PAUSE_MS;
      this.#ready.add(peer);
      return;
    }
    peer.pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, peer.pauseMs));
    peer.retryAt = systemClock.now() + peer.pauseMs;
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
    this.#peers.delete(peer.name);
    // Every undelivered message is reported before the peer is reported down.
    this.#reportUndelivered(peer);
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
