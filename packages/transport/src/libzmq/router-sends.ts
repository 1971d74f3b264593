// What a router has to send: an outbox for each peer that something waits for, and one write at a time among them.
//
// A write either succeeds at once, or finds the peer's pipe full, or finds no such peer; libzmq never makes it wait, so
// that one slow peer holds up nobody. libzmq does not tell when a full pipe has room again: peers with a full pipe are
// tried again after a pause, which grows while nothing changes. State is kept for a peer only while something waits for
// it; who is connected is libzmq's to know.

import type { Router } from "zeromq";
import { errorCode } from "../addresses.ts";
import { type Alarm, systemClock } from "../clock.ts";
import { asBytes, type FramesToSend } from "../frames-to-send.ts";
import type { LinkLimits, RouterHandlers, SendOutcome } from "../link.ts";
import { Outbox, type Tally } from "../outbox.ts";
import { surface } from "../surface.ts";
import { Turns } from "./turns.ts";

/** Milliseconds before a full pipe is tried again, the first time and at most; the pause doubles in between. */
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

export class RouterSends {
  readonly #socket: Router;
  readonly #handlers: RouterHandlers;
  readonly #limits: LinkLimits;
  readonly #onFailure: (cause: unknown) => void;
  readonly #total: Tally = { bytes: 0, messages: 0 };
  readonly #retry: Alarm = systemClock.alarm(() => this.#onRetry());
  /** Every peer that something waits for. It is in `ready` or in `blocked`, or is being written to. */
  readonly #peers = new Map<string, Peer>();
  /** In the order of their turns. */
  readonly #ready = new Set<Peer>();
  readonly #blocked = new Set<Peer>();
  #retryAt = Number.POSITIVE_INFINITY;
  readonly #turns = new Turns();
  #isWriting = false;
  #onFlushed: (() => void)[] = [];

  constructor(socket: Router, handlers: RouterHandlers, limits: LinkLimits, onFailure: (cause: unknown) => void) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#limits = limits;
    this.#onFailure = onFailure;
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

  /** Resolves when nothing waits any more. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#onFlushed.push(resolve);
      this.#checkFlushed();
    });
  }

  /** Gives up what still waits and tells of each message. */
  abandon(): void {
    const peers = [...this.#peers.values()];
    this.#peers.clear();
    this.#ready.clear();
    this.#blocked.clear();
    this.#setRetry(Number.POSITIVE_INFINITY);
    for (const peer of peers) this.#tellUndelivered(peer);
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
    // Peers that are made ready on the way are visited too.
    for (const peer of this.#ready) {
      this.#ready.delete(peer);
      const frames = peer.outbox.first;
      if (frames === undefined) continue;
      try {
        await this.#socket.send([peer.routingId, ...asBytes(frames)]);
        this.#onWritten(peer);
      } catch (error) {
        this.#onRefused(peer, error);
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
    if (peer.outbox.takeDrained()) this.#tell(() => this.#handlers.onDrain?.(peer.name));
  }

  #onRefused(peer: Peer, error: unknown): void {
    switch (errorCode(error)) {
      case "EAGAIN":
        return this.#onFull(peer);
      case "EHOSTUNREACH":
        return this.#onGone(peer);
      default:
        return this.#onFailure(error);
    }
  }

  #onFull(peer: Peer): void {
    // Asking whether anybody can be written to makes libzmq look at what its I/O thread has taken. A plain send looks
    // only once a millisecond, and believes until then that the pipe is full.
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
    let soonest = Number.POSITIVE_INFINITY;
    for (const peer of this.#blocked) {
      if (peer.retryAt > now) {
        soonest = Math.min(soonest, peer.retryAt);
        continue;
      }
      this.#blocked.delete(peer);
      this.#makeReady(peer);
    }
    this.#setRetry(soonest);
  }

  #setRetry(at: number): void {
    this.#retryAt = at;
    this.#retry.set(at);
  }

  #onGone(peer: Peer): void {
    this.#peers.delete(peer.name);
    // First what never ran, then the rest: whoever hears that the peer is down has heard of all that never left.
    this.#tellUndelivered(peer);
    this.#tell(() => this.#handlers.onPeerDown?.(peer.name));
  }

  #tellUndelivered(peer: Peer): void {
    for (let frames = peer.outbox.shift(); frames !== undefined; frames = peer.outbox.shift()) {
      const undelivered = asBytes(frames);
      this.#tell(() => this.#handlers.onUndelivered?.(peer.name, undelivered));
    }
  }

  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      surface(error);
    }
  }

  #checkFlushed(): void {
    if (this.#peers.size > 0 || this.#isWriting) return;
    for (const resolve of this.#onFlushed.splice(0)) resolve();
  }
}
