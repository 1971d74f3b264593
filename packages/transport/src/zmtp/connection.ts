// One socket's life: what is read goes through a session, what is sent through a writer. HOT in `send`, `flush` and
// `#onData`; the benchmark is apps/bench/src/transport.ts.
//
// A message is written into the connection's buffer at once and leaves with the next flush, unless the kernel takes no
// more: then it waits in the outbox, where it is counted and can still be told as undelivered. There is one write at a
// time, and if it was taken whole, its buffers are free again at once.
//
// The session speaks for the other end; when it is at fault, or silent for too long, this socket ends and no other.

import type { Socket } from "node:net";
import { type Alarm, systemClock } from "../clock.ts";
import type { Frames, LinkLimits } from "../link.ts";
import { orAfter } from "../or-after.ts";
import type { Outbox } from "../outbox.ts";
import { type BufferPool, FLUSH_BYTES } from "./buffer-pool.ts";
import { encodeError, encodePing, encodePong, encodeReady } from "./commands.ts";
import type { Flusher } from "./flusher.ts";
import { FrameWriter } from "./frame-writer.ts";
import { encodeGreeting } from "./greeting.ts";
import { Session, type SessionListener } from "./session.ts";
import type { Violation } from "./violation.ts";

/** Milliseconds between two looks at whether the other end is there: if either end was quiet meanwhile, we ask. */
const PING_INTERVAL_MS = 2_500;
/** Milliseconds without anything from an end that answers a PING, after which it is gone. */
const SILENCE_MS = 10_000;
/** What we announce that the other end may do: longer, because it can be our event loop that is held up. */
const TTL_MS = 20_000;
/** Milliseconds that the other end has to close its side after we closed ours. */
const FAREWELL_MS = 500;
/** After as many messages, timers and other sockets have their turn. */
const MESSAGES_PER_TURN = 1_024;

/** What the connections of one link share. */
export interface ConnectionSettings {
  readonly socketType: "ROUTER" | "DEALER";
  /** What the other end may be. */
  readonly peerTypes: ReadonlySet<string>;
  /** Ours, or empty. */
  readonly routingId: string;
  /** This end introduces itself first, and asks whether the other is there. Otherwise it waits for an introduction. */
  readonly isActive: boolean;
  readonly limits: LinkLimits;
  readonly pool: BufferPool;
  readonly flusher: Flusher;
}

export interface ConnectionOwner {
  /** The other end introduced itself. Answers why it is refused, if it is. */
  onReady(connection: Connection, routingId: string): Violation | undefined;
  /** Messages leave from now on. */
  onUp(connection: Connection): void;
  onMessage(connection: Connection, frames: Frames): void;
  onDrain(connection: Connection): void;
  /** The last word. What is in the outbox has not left. */
  onEnd(connection: Connection, violation: Violation | undefined): void;
}

export class Connection implements SessionListener {
  /** For a router: the peer's name, once it has one. */
  name = "";
  /** At its end: whether it ever was up. */
  wasUp = false;
  readonly outbox: Outbox;
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #session: Session;
  readonly #writer: FrameWriter;
  readonly #alarm: Alarm = systemClock.alarm(() => this.#onAlarm());
  readonly #closed: Promise<void>;
  readonly #onWritten = (): void => this.#unblock();
  readonly #onTurn = (): void => this.#resume();
  #isUp = false;
  /** Nothing that comes is told any more. */
  #isMuted = false;
  /** It waits for its flush. */
  #isDirty = false;
  /** A write is under way, with the buffers lent to it. */
  #isBlocked = false;
  #lent: readonly Buffer[] = [];
  #pong: Uint8Array | undefined;
  #onFlushed: (() => void) | undefined;
  #violation: Violation | undefined;
  #messagesThisTurn = 0;

  #speaks31 = false;
  #lastHeardAt = systemClock.now();
  #hasSent = false;
  /** Milliseconds of silence that end it; 0: none do. */
  #silenceMs: number;

  constructor(socket: Socket, outbox: Outbox, settings: ConnectionSettings, owner: ConnectionOwner) {
    this.#socket = socket;
    this.outbox = outbox;
    this.#settings = settings;
    this.#owner = owner;
    this.#session = new Session(settings.limits, this);
    this.#writer = new FrameWriter(settings.pool);
    this.#silenceMs = settings.limits.handshakeTimeoutMs;
    this.#alarm.set(this.#lastHeardAt + settings.limits.handshakeTimeoutMs);
    socket.on("error", () => {}); // "close" follows
    socket.on("end", () => socket.destroy());
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#onClose();
        resolve();
      });
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** The socket is connected: greets. */
  greet(): void {
    this.#writer.addEncoded(encodeGreeting());
    this.flush();
  }

  /** Takes one message, on a connection that is up. */
  send(frames: Frames, isUrgent: boolean): "queued" | "slow" | "congested" {
    if (this.#isBlocked) return this.outbox.offer(frames, isUrgent);
    this.#writer.add(frames);
    if (this.#writer.bytes >= FLUSH_BYTES) {
      this.flush();
    } else if (!this.#isDirty) {
      this.#isDirty = true;
      this.#settings.flusher.add(this);
    }
    return "queued";
  }

  /** Writes what was sent. */
  flush(): void {
    this.#isDirty = false;
    if (this.#isBlocked || this.#writer.bytes === 0) return;
    const { pieces, buffers } = this.#writer.take();
    const socket = this.#socket;
    const last = pieces.length - 1;
    if (last > 0) socket.cork();
    for (const [index, piece] of pieces.entries()) {
      if (index < last) socket.write(piece);
      else socket.write(piece, this.#onWritten);
    }
    if (last > 0) socket.uncork();
    this.#hasSent = true;
    this.#lent = buffers;
    // Whether the kernel took it all at once.
    if (socket.writableLength > 0) this.#isBlocked = true;
    else this.#returnBuffers();
  }

  /** Reads no more, writes what waits, for at most `lingerMs`, and ends. */
  async finish(lingerMs: number): Promise<void> {
    const deadline = systemClock.now() + lingerMs;
    this.#mute();
    if (this.#isUp) {
      await orAfter(lingerMs, this.#flushed());
      // Anything unread at the moment of closing would make the kernel throw away what the other end has not read yet.
      this.#socket.end();
      await orAfter(Math.min(Math.max(0, deadline - systemClock.now()), FAREWELL_MS), this.#closed);
    }
    this.#socket.destroy();
    await this.#closed;
  }

  /** Ends it at once. `onEnd` follows. */
  destroy(violation?: Violation): void {
    this.#violation ??= violation;
    this.#mute();
    this.#socket.destroy();
  }

  /** What was read. @param isOurs the chunk will not be used again. @returns whether to go on reading */
  onData(chunk: Buffer, isOurs: boolean): boolean {
    this.#lastHeardAt = systemClock.now();
    if (this.#isMuted) return true;
    const violation = this.#session.read(chunk, isOurs);
    if (violation !== undefined) {
      this.#refuse(violation);
      return false;
    }
    if (this.#messagesThisTurn < MESSAGES_PER_TURN) return true;
    this.#messagesThisTurn = 0;
    this.#socket.pause();
    setImmediate(this.#onTurn);
    return false;
  }

  onGreeting(speaks31: boolean): void {
    this.#speaks31 = speaks31;
    if (this.#settings.isActive) this.#introduce();
  }

  onReady(socketType: string, routingId: string): Violation | undefined {
    if (!this.#settings.peerTypes.has(socketType)) {
      return {
        code: "INCOMPATIBLE",
        detail: `a ${this.#settings.socketType} does not talk to ${JSON.stringify(socketType)}`,
      };
    }
    const violation = this.#owner.onReady(this, routingId);
    if (violation !== undefined) return violation;
    if (!this.#settings.isActive) this.#introduce();
    this.#isUp = true;
    this.#silenceMs = this.#settings.isActive && this.#speaks31 ? SILENCE_MS : 0;
    this.#alarm.set(this.#silenceMs > 0 ? systemClock.now() + PING_INTERVAL_MS : undefined);
    this.#owner.onUp(this);
    this.#pump();
    return undefined;
  }

  onMessage(frames: Buffer[]): void {
    this.#messagesThisTurn += 1;
    this.#owner.onMessage(this, frames);
  }

  onPing(ttlMs: number, context: Uint8Array): void {
    if (!this.#settings.isActive && ttlMs !== this.#silenceMs) {
      this.#silenceMs = ttlMs;
      this.#alarm.set(ttlMs > 0 ? systemClock.now() + ttlMs : undefined);
    }
    // While nothing can be written, only the last is to be answered.
    this.#pong = context;
    if (!this.#isBlocked) this.#pump();
  }

  #introduce(): void {
    this.#writer.addEncoded(encodeReady(this.#settings.socketType, this.#settings.routingId));
    this.flush();
  }

  #refuse(violation: Violation): void {
    // A peer that cannot ever be right is told so. One that may be right later is just cut off: peers give up for good
    // after an ERROR.
    if (!this.#isUp && violation.code === "INCOMPATIBLE") {
      this.#writer.addEncoded(encodeError(violation.detail));
      this.flush();
    }
    this.destroy(violation);
  }

  #mute(): void {
    this.#isMuted = true;
    this.#session.stop();
    // What comes has to be read all the same, for its end to be seen.
    this.#socket.resume();
  }

  #resume(): void {
    if (!this.#isMuted) this.#socket.resume();
  }

  #unblock(): void {
    if (!this.#isBlocked || this.#socket.writableLength > 0) return;
    this.#isBlocked = false;
    this.#returnBuffers();
    this.#pump();
  }

  #returnBuffers(): void {
    for (const buffer of this.#lent) this.#settings.pool.giveBack(buffer);
    this.#lent = [];
  }

  /** Writes what waits, until the kernel takes no more. */
  #pump(): void {
    if (this.#pong !== undefined) this.#writer.addEncoded(encodePong(this.#pong));
    this.#pong = undefined;
    while (!this.#isBlocked && !this.#socket.destroyed) {
      while (this.#isUp && this.#writer.bytes < FLUSH_BYTES) {
        const frames = this.outbox.shift();
        if (frames === undefined) break;
        this.#writer.add(frames);
      }
      if (this.#writer.bytes === 0) break;
      this.flush();
    }
    if (this.outbox.takeDrained() && !this.#isMuted) this.#owner.onDrain(this);
    if (this.#isFlushed) this.#onFlushed?.();
  }

  get #isFlushed(): boolean {
    return this.outbox.isEmpty && this.#writer.bytes === 0 && !this.#isBlocked;
  }

  #flushed(): Promise<void> {
    this.flush();
    return new Promise((resolve) => {
      this.#onFlushed = resolve;
      if (this.#isFlushed || this.#socket.destroyed) resolve();
    });
  }

  #onAlarm(): void {
    // Not before what came meanwhile is read: perhaps it was our event loop that was held up.
    setImmediate(() => this.#judge());
  }

  #judge(): void {
    if (this.#socket.destroyed) return;
    const now = systemClock.now();
    const silentMs = now - this.#lastHeardAt;
    if (!this.#isUp) {
      const detail = `no handshake within ${this.#settings.limits.handshakeTimeoutMs} ms`;
      return this.destroy({ code: "HANDSHAKE_TIMEOUT", detail });
    }
    // A peer that takes nothing does not get our PING either; the kernel knows whether its host is there.
    if (silentMs >= this.#silenceMs && !this.#isBlocked) {
      return this.destroy({ code: "SILENCE", detail: `nothing came for ${Math.round(silentMs)} ms` });
    }
    if (!this.#settings.isActive) {
      return this.#alarm.set((this.#isBlocked ? now : this.#lastHeardAt) + this.#silenceMs);
    }
    if (!this.#isBlocked && (!this.#hasSent || silentMs >= PING_INTERVAL_MS)) {
      this.#writer.addEncoded(encodePing(TTL_MS));
      this.flush();
    }
    this.#hasSent = false;
    this.#alarm.set(now + PING_INTERVAL_MS);
  }

  #onClose(): void {
    this.#alarm.set(undefined);
    this.wasUp = this.#isUp;
    this.#isUp = false;
    this.#isMuted = true;
    this.#session.stop();
    // A write that was cut off may still have its buffers.
    this.#lent = [];
    for (const buffer of this.#writer.take().buffers) this.#settings.pool.giveBack(buffer);
    this.#onFlushed?.();
    this.#owner.onEnd(this, this.#violation);
  }
}
