// One connection over a tcp or ipc socket: a `PeerReader` reads, a `Sender` writes. HOT in `send` and `onData`; the benchmark is
// apps/bench/src/transport.ts.
//
// If the other end violates the protocol, is silent for too long, or does not read, this connection ends and no other.

import type { Socket } from "node:net";
import type { FramesToSend } from "../byte-strings.ts";
import { alarmAfterIo, systemClock, withTimeout } from "../clock.ts";
import type { OversizedMessage } from "../link.ts";
import type { Outbox } from "../outbox.ts";
import type { Credentials } from "../security/auth-request.ts";
import { setImmediate, setTimeout } from "../timers.ts";
import type { DenialReport, ZapStatus } from "../zap/authenticator.ts";
import { userIdOf } from "../zap/messages.ts";
import { encodeError, encodePing, encodeRoutingIdError, encodeSubscribe, encodeSubscribe30 } from "./commands.ts";
import type { ConnectionOwner as OwnerOf } from "./connection-owner.ts";
import { CLOSE_TIMEOUT_MS, type ConnectionSettings, READ_AFTER_CLOSE_MS } from "./connection-settings.ts";
import { encodeGreeting } from "./greeting.ts";
import { CLOSED_BEFORE_GREETING, closedDuring } from "./handshake.ts";
import type { PeerActivity } from "./idle-list.ts";
import { Liveness, TTL_MS } from "./liveness.ts";
import type { FrameProtection } from "./mechanism/mechanism.ts";
import type { Metadata } from "./metadata.ts";
import { PeerReader, type PeerReaderListener } from "./peer-reader.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import { TurnBudget } from "./turn-budget.ts";
import { UnfinishedMessage } from "./unfinished.ts";
import { COMMAND, type Violation } from "./wire.ts";

export type ConnectionOwner = OwnerOf<SocketConnection>;

export class SocketConnection implements PeerReaderListener, SenderOwner, PeerActivity {
  /** For a router: the peer's name, once it has one. */
  name = "";
  /** Whether the peer has sent a message or a subscription. */
  hasSent = false;
  /** After its end: whether it ever was up. */
  wasUp = false;
  /** What the other end announced in its handshake. */
  announcement: string | undefined;
  /** After its end: the error of the socket, if it had one. */
  error: Error | undefined;
  identity = "";
  /** Messages that wait while the kernel takes no more. */
  readonly outbox: Outbox;
  readonly reader: PeerReader;
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #owner: ConnectionOwner;
  readonly #sender: Sender;
  readonly #liveness: Liveness;
  readonly #unfinished: UnfinishedMessage;
  readonly #closed: Promise<void>;
  readonly #onTurn = (): void => this.#resume();
  #isUp = false;
  /** Nothing that arrives is reported any more. */
  #isMuted = false;
  #isHeld = false;
  #violation: Violation | undefined;
  /** Whether a message has ended since the last read. */
  #hasMessage = false;
  readonly #turn: TurnBudget;
  /** The part of a chunk that waits for the next turn. */
  #rest: Buffer | undefined;
  /** The peer has gone: until when the rest is read, and what follows. */
  #restUntil = Number.POSITIVE_INFINITY;
  #afterwards: (() => void) | undefined;
  /** The context of the last PING in the chunk that is being read. */
  #ping: Uint8Array | undefined;
  #speaks31 = false;
  #retriesAfterError = false;

  constructor(socket: Socket, settings: ConnectionSettings, owner: ConnectionOwner) {
    this.#socket = socket;
    this.#settings = settings;
    this.#owner = owner;
    this.outbox = owner.outboxForConnection(this);
    this.reader = new PeerReader(settings, this);
    this.#sender = new Sender(socket, settings, this);
    // A peer that connects runs the handlers of its own process, which may take any time.
    this.#turn = new TurnBudget(settings.isActive ? undefined : systemClock);
    this.#liveness = new Liveness(
      { isActive: settings.sendsPings ?? settings.isActive, handshakeTimeoutMs: settings.limits.handshakeTimeoutMs },
      alarmAfterIo(() => this.#checkLiveness()),
      systemClock.now(),
    );
    this.#unfinished = new UnfinishedMessage(
      settings.receiving,
      () => alarmAfterIo(() => this.#unfinished.check(systemClock.now())),
      (violation) => this.destroy(violation),
    );
    // "close" follows
    socket.on("error", (error) => {
      this.error = error;
    });
    socket.on("end", () => this.#afterRest(() => this.#onEnd()));
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.#afterRest(() => {
          this.#onClose();
          resolve();
        });
      });
    });
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get isReceiving(): boolean {
    return this.#unfinished.bytes > 0;
  }

  get hasUnread(): boolean {
    return this.#rest !== undefined;
  }

  /** The socket is connected: sends the greeting. */
  greet(): void {
    const { name, isServer } = this.#settings.mechanism;
    this.#sender.sendEncoded(encodeGreeting(name, isServer));
  }

  /** Sends one message, on a connection that is up. */
  send(frames: FramesToSend, isUrgent: boolean): "queued" | "slow" | "congested" {
    return this.#sender.send(frames, isUrgent);
  }

  /** Subscribes to a prefix, on a connection that is up. */
  subscribe(prefix: string): void {
    if (this.#speaks31) this.#sender.sendFrame(COMMAND, encodeSubscribe(prefix));
    else this.#sender.sendFrame(0, encodeSubscribe30(prefix));
  }

  /** Reads no further than the present message, until `release`. What the peer sends meanwhile stays with it and in the kernel. */
  hold(): void {
    if (this.#isMuted) return;
    this.#isHeld = true;
    this.#unfinished.isExcused = true;
    this.reader.pause();
    this.#socket.pause();
  }

  /** Continues to read, in another turn. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#unfinished.isExcused = false;
    setImmediate(this.#onTurn);
  }

  /** Stops reading, writes what waits, for at most `lingerMs`, and ends the connection. */
  async finish(lingerMs: number): Promise<void> {
    const deadline = systemClock.now() + lingerMs;
    this.#mute();
    if (this.#isUp) {
      await withTimeout(this.#sender.flushed(), lingerMs);
      // If data is unread when the socket closes, the kernel discards what the other end has not read yet.
      this.#socket.end();
      await withTimeout(this.#closed, Math.min(Math.max(0, deadline - systemClock.now()), CLOSE_TIMEOUT_MS));
    }
    this.#socket.destroy();
    await this.#closed;
  }

  /** Ends the connection at once. `onEnd` follows. */
  destroy(violation?: Violation): void {
    this.#violation ??= violation;
    this.#mute();
    this.#socket.destroy();
  }

  /** Reads a chunk. @param isOurs the caller does not reuse it. @returns whether to continue reading from the socket */
  onData(chunk: Buffer, isOurs: boolean): boolean {
    this.#liveness.lastDataAt = systemClock.now();
    if (this.#isMuted) return true;
    if (this.#rest !== undefined) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return false;
    }
    // The reader keeps what follows a handshake that is not complete.
    if (chunk.length <= this.#turn.partBytes || !this.#isUp) {
      return this.#read(chunk, isOurs, this.#liveness.lastDataAt);
    }
    return this.#readParts(isOurs ? chunk : Buffer.from(chunk));
  }

  onGreeting(speaks31: boolean): void {
    this.#speaks31 = speaks31;
  }

  onSendCommand(body: Buffer): void {
    this.#sender.sendFrame(COMMAND, body);
  }

  onAuthenticate(credentials: Credentials): void {
    this.identity = userIdOf(credentials);
    const { remoteAddress: address = "localhost" } = this.#socket;
    // What the peer sends meanwhile stays in the kernel.
    this.#socket.pause();
    this.#settings.authenticator?.authenticate(credentials, address, (...args) => this.#onAuthenticated(...args));
  }

  onIntroduced({ socketType, routingId, retriesAfterError, announcement }: Metadata): Violation | undefined {
    this.announcement = announcement;
    this.#retriesAfterError = retriesAfterError === true;
    if (!this.#settings.peerTypes.has(socketType)) {
      const detail = `a ${this.#settings.metadata.socketType} does not talk to ${JSON.stringify(socketType)}`;
      return { code: "INCOMPATIBLE", detail };
    }
    return this.#owner.onIntroduced(this, routingId);
  }

  onHandshakeComplete(protection: FrameProtection | undefined): void {
    this.#isUp = true;
    this.#liveness.onUp(this.#speaks31, systemClock.now());
    this.#owner.onUp(this);
    this.#sender.open(protection);
  }

  onMessage(frames: readonly Uint8Array[]): void {
    this.#turn.work += 1;
    this.#hasMessage = true;
    this.#owner.onMessage(this, frames);
    if (this.#turn.isOverdue()) this.reader.pause();
  }

  onOversized(message: OversizedMessage): void {
    this.#turn.work += 1;
    this.#hasMessage = true;
    this.#owner.onOversized?.(this, message);
    if (this.#turn.isOverdue()) this.reader.pause();
  }

  onPing(ttlMs: number, context: Uint8Array): void {
    this.#turn.work += 1;
    this.#liveness.onTtl(ttlMs, systemClock.now());
    // Only the last PING of a chunk is answered: one PONG proves as much as many.
    this.#ping = context;
  }

  onSubscription(prefix: string, isSubscribed: boolean): void {
    this.#turn.work += 1;
    this.hasSent = true;
    this.#owner.onSubscription?.(this, prefix, isSubscribed);
  }

  onIgnored(): void {
    this.#turn.work += 1;
  }

  onDrain(): void {
    if (!this.#isMuted) this.#owner.onDrain(this);
  }

  /** Counts what the last read left of a message. Most reads end with a whole message, as the one before did. */
  #noteUnfinished(): void {
    const { unfinishedBytes: bytes, keptBytes } = this.reader;
    const hasEnded = this.#hasMessage;
    this.#hasMessage = false;
    if (hasEnded) this.hasSent = true;
    if (bytes === 0 && this.#unfinished.bytes === 0) return;
    this.#settings.pool.onUnfinished(keptBytes);
    const hasGrown = bytes > this.#unfinished.bytes;
    this.#unfinished.update({ bytes, keptBytes }, hasEnded, this.#liveness.lastDataAt);
    if (hasGrown && !hasEnded && !this.#isMuted && !this.reader.isWithinCommand) this.#owner.onReceiving?.(this);
  }

  #onAuthenticated(status: ZapStatus, denial: DenialReport | undefined): void {
    if (this.#isMuted) return;
    if (status === "200") {
      this.#turn.start(systemClock.now());
      const violation = this.reader.authorize();
      if (violation !== undefined) return this.#reject(violation);
      if (this.#ping !== undefined) this.#answerPing(this.#ping);
      if (this.#continueTurn(0)) this.#resume();
      return;
    }
    // A peer that may try again (300) gets no ERROR, because libzmq gives up for good after one.
    if (status !== "300") this.#sender.sendFrame(COMMAND, encodeError(status));
    this.destroy(denial);
  }

  #reject(violation: Violation): void {
    const { code, detail } = violation;
    // libzmq gives up after an ERROR. So only a peer that can never be accepted gets one, or a peer that tries again after it.
    if (!this.#isUp && code === "INCOMPATIBLE") this.#sender.sendFrame(COMMAND, encodeError(detail));
    else if (code === "ROUTING_ID" && this.#retriesAfterError) {
      this.#sender.sendFrame(COMMAND, encodeRoutingIdError(detail));
    }
    this.destroy(violation);
  }

  /** Reads a chunk in parts until the turn is over. @returns whether to continue reading from the socket */
  #readParts(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length; ) {
      const end = at + this.#turn.partBytes;
      // A copy, because a view of a small part would keep the whole chunk alive.
      const mayContinue = this.#read(Buffer.from(chunk.subarray(at, end)), true, systemClock.now());
      at = end;
      if (mayContinue && !this.#isMuted) continue;
      if (this.#isMuted || at >= chunk.length) return false;
      const left = chunk.subarray(at);
      this.#rest = this.#rest === undefined ? left : Buffer.concat([this.#rest, left]);
      return false;
    }
    return true;
  }

  #read(chunk: Buffer, isOurs: boolean, now: number): boolean {
    this.#turn.start(now);
    const violation = this.reader.read(chunk, isOurs);
    if (violation !== undefined) {
      this.#reject(violation);
      return false;
    }
    this.#noteUnfinished();
    if (this.#ping !== undefined) this.#answerPing(this.#ping);
    return this.#continueTurn(chunk.length);
  }

  /** A part of this many bytes was read, or its start. @returns whether to continue */
  #continueTurn(bytes: number): boolean {
    const unread = this.reader.takeUnread();
    if (!this.#isMuted) this.#rest = unread;
    if (!this.#isHeld && !this.#turn.onRead(bytes - (unread?.length ?? 0))) return true;
    this.#socket.pause();
    if (this.#isHeld) return false;
    const { pauseMs } = this.#turn;
    if (pauseMs === 0) setImmediate(this.#onTurn);
    else setTimeout(this.#onTurn, pauseMs);
    return false;
  }

  #answerPing(context: Uint8Array): void {
    this.#ping = undefined;
    this.#sender.answerPing(context);
  }

  #mute(): void {
    this.release();
    this.#isMuted = true;
    this.#rest = undefined;
    this.reader.stop();
    this.#unfinished.stop();
    // The socket must still be read for its end to be noticed.
    this.#socket.resume();
  }

  #resume(): void {
    if (this.#isHeld) return;
    const rest = this.#rest;
    this.#rest = undefined;
    const mayRead = !this.#isMuted && systemClock.now() < this.#restUntil;
    if (mayRead && (rest === undefined || this.#readParts(rest))) this.#socket.resume();
    if (this.#rest !== undefined) return;
    const then = this.#afterwards;
    this.#afterwards = undefined;
    then?.();
  }

  /** The other end is gone. Reads the rest of its bytes first, in further turns. */
  #afterRest(then: () => void): void {
    if (this.#rest === undefined) return then();
    if (!this.#isHeld) this.#restUntil = systemClock.now() + READ_AFTER_CLOSE_MS;
    this.#afterwards = then;
  }

  #checkLiveness(): void {
    if (this.#socket.destroyed) return;
    const { isBlocked, hasSent } = this.#sender;
    const verdict = this.#liveness.check(systemClock.now(), isBlocked || this.#isHeld, hasSent);
    if (verdict === "ping") this.#sender.sendFrame(COMMAND, encodePing(TTL_MS));
    else if (verdict !== undefined) return this.destroy(verdict);
    // Not even the PING counts as sent, so PINGs continue while nothing else is sent.
    this.#sender.hasSent = false;
  }

  /** The other end has closed its side. */
  #onEnd(): void {
    if (this.#settings.isActive && !this.#isMuted && !this.reader.isGreeted) this.#violation ??= CLOSED_BEFORE_GREETING;
    this.#socket.destroy();
  }

  #onClose(): void {
    const { isActive, mechanism } = this.#settings;
    // With NULL, anything may connect and leave, such as a health check.
    if (!isActive && !this.#isUp && !this.#isMuted && mechanism.name !== "NULL")
      this.#violation ??= closedDuring(mechanism);
    this.#liveness.stop();
    this.#unfinished.stop();
    this.wasUp = this.#isUp;
    this.#isUp = false;
    this.#isMuted = true;
    this.reader.stop();
    this.#sender.close();
    this.#owner.onEnd(this, this.#violation);
  }
}
