// One socket's life: what is read goes through a session, what is sent through a sender. HOT in `send` and `onData`; the
// benchmark is apps/bench/src/transport.ts.
//
// The session speaks for the other end; when it is at fault, or silent for too long, this socket ends and no other.

import type { Socket } from "node:net";
import { systemClock } from "../clock.ts";
import type { FramesToSend } from "../frames-to-send.ts";
import type { LinkLimits } from "../link.ts";
import { orAfter } from "../or-after.ts";
import type { Outbox } from "../outbox.ts";
import { encodeError, encodePing, encodeReady, encodeSubscribe } from "./commands.ts";
import { encodeGreeting } from "./greeting.ts";
import { Liveness, TTL_MS } from "./liveness.ts";
import { Sender, type SenderSettings } from "./sender.ts";
import { Session, type SessionListener } from "./session.ts";
import type { Violation } from "./violation.ts";

/** Milliseconds that the other end has to close its side after we closed ours. */
const FAREWELL_MS = 500;
/** After as many messages, timers and other sockets have their turn. */
const MESSAGES_PER_TURN = 1_024;

/** What ends so may be anything, but libzmq has no other word for a greeting with a mechanism that it does not want. */
const CUT_OFF: Violation = Object.freeze({
  code: "HANDSHAKE_FAILED",
  detail: "it ended the connection before it had greeted, as a broker does that asks for curve or plain",
});

/** What the connections of one link share. */
export interface ConnectionSettings extends SenderSettings {
  readonly socketType: "ROUTER" | "DEALER" | "PUB" | "SUB";
  /** What the other end may be. */
  readonly peerTypes: ReadonlySet<string>;
  /** Ours, or empty. */
  readonly routingId: string;
  /** This end introduces itself first, and asks whether the other is there. Otherwise it waits for an introduction. */
  readonly isActive: boolean;
  readonly limits: LinkLimits;
}

export interface ConnectionOwner {
  /** The other end introduced itself. Answers why it is refused, if it is. */
  onReady(connection: Connection, routingId: string): Violation | undefined;
  /** Messages leave from now on. */
  onUp(connection: Connection): void;
  onMessage(connection: Connection, frames: readonly Uint8Array[]): void;
  /** By a command. Whoever publishes nothing need not care. */
  onSubscription?(connection: Connection, prefix: string, isWanted: boolean): void;
  onDrain(connection: Connection): void;
  /** The last word. What is in the outbox has not left. */
  onEnd(connection: Connection, violation: Violation | undefined): void;
}

export class Connection implements SessionListener {
  /** For a router: the peer's name, once it has one. */
  name = "";
  /** At its end: whether it ever was up. */
  wasUp = false;
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #session: Session;
  readonly #sender: Sender;
  readonly #liveness: Liveness;
  readonly #closed: Promise<void>;
  readonly #onTurn = (): void => this.#resume();
  #isUp = false;
  /** Nothing that comes is told any more. */
  #isMuted = false;
  #violation: Violation | undefined;
  #messagesThisTurn = 0;
  #speaks31 = false;

  constructor(socket: Socket, outbox: Outbox, settings: ConnectionSettings, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#settings = settings;
    this.#owner = owner;
    this.#session = new Session(settings.limits, this);
    this.#sender = new Sender(socket, outbox, settings, () => {
      if (!this.#isMuted) owner.onDrain(this);
    });
    this.#liveness = new Liveness(
      { isActive: settings.isActive, handshakeTimeoutMs: settings.limits.handshakeTimeoutMs },
      // Not before what came meanwhile is read: perhaps it was our event loop that was held up.
      systemClock.alarm(() => setImmediate(() => this.#look())),
      systemClock.now(),
    );
    socket.on("error", () => {}); // "close" follows
    socket.on("end", () => this.#onFarewell());
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

  /** What waits for the other end, while the kernel takes no more. */
  get outbox(): Outbox {
    return this.#sender.outbox;
  }

  /** The socket is connected: greets. */
  greet(): void {
    this.#sender.say(encodeGreeting());
  }

  /** Takes one message, on a connection that is up. */
  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    return this.#sender.send(frames, isUrgent);
  }

  /** Tells a publisher, on a connection that is up, what is wanted of it. */
  subscribe(prefix: string): void {
    this.#sender.say(encodeSubscribe(prefix, this.#speaks31));
  }

  /** Reads no more, writes what waits, for at most `lingerMs`, and ends. */
  async finish(lingerMs: number): Promise<void> {
    const deadline = systemClock.now() + lingerMs;
    this.#mute();
    if (this.#isUp) {
      await orAfter(lingerMs, this.#sender.flushed());
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
    this.#liveness.heardAt = systemClock.now();
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
    this.#liveness.onUp(this.#speaks31, systemClock.now());
    this.#owner.onUp(this);
    this.#sender.open();
    return undefined;
  }

  onMessage(frames: readonly Uint8Array[]): void {
    this.#messagesThisTurn += 1;
    this.#owner.onMessage(this, frames);
  }

  onPing(ttlMs: number, context: Uint8Array): void {
    this.#liveness.onTtl(ttlMs, systemClock.now());
    this.#sender.answer(context);
  }

  onSubscription(prefix: string, isWanted: boolean): void {
    this.#messagesThisTurn += 1;
    this.#owner.onSubscription?.(this, prefix, isWanted);
  }

  #introduce(): void {
    this.#sender.say(encodeReady(this.#settings.socketType, this.#settings.routingId));
  }

  #refuse(violation: Violation): void {
    // A peer that cannot ever be right is told so. One that may be right later is just cut off: peers give up for good
    // after an ERROR.
    if (!this.#isUp && violation.code === "INCOMPATIBLE") {
      this.#sender.say(encodeError(violation.detail));
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

  #look(): void {
    if (this.#socket.destroyed) return;
    const { isBlocked, hasSent } = this.#sender;
    const verdict = this.#liveness.look(systemClock.now(), isBlocked, hasSent);
    if (verdict === "ask") this.#sender.say(encodePing(TTL_MS));
    else if (verdict !== undefined) return this.destroy(verdict);
    // Not even the PING counts as sent: as long as nothing else is, one follows the other.
    this.#sender.hasSent = false;
  }

  /** The other end has nothing more to say. */
  #onFarewell(): void {
    if (this.#settings.isActive && !this.#isMuted && !this.#session.isGreeted) this.#violation ??= CUT_OFF;
    this.#socket.destroy();
  }

  #onClose(): void {
    this.#liveness.stop();
    this.wasUp = this.#isUp;
    this.#isUp = false;
    this.#isMuted = true;
    this.#session.stop();
    this.#sender.close();
    this.#owner.onEnd(this, this.#violation);
  }
}
