// All that one end reads on a connection, from the first byte on: the handshake, then messages and commands. Pure: it is given
// bytes and reports what they mean; the connection acts on it. The first violation is the last thing that it reports.

import type { OversizedMessage } from "../link.ts";
import { decodeTrafficCommand } from "./commands.ts";
import { Handshake, type HandshakeListener, type HandshakeSettings } from "./handshake.ts";
import type { FrameProtection } from "./mechanism/mechanism.ts";
import type { MessageLimits } from "./message-assembler.ts";
import { MessageReader, type MessageSink } from "./message-reader.ts";
import type { Violation } from "./wire.ts";

export interface PeerReaderListener extends HandshakeListener {
  /** The handshake is complete. @param protection what protects the frames that are sent from now on */
  onHandshakeComplete(protection: FrameProtection | undefined): void;
  onMessage(frames: readonly Uint8Array[]): void;
  /** A message that is too large, without its large frames. Required with `skipsOversized`. */
  onOversized?(message: OversizedMessage): void;
  /** Answer with the same context. @param ttlMs without data for so long, the other end is gone; 0: never */
  onPing(ttlMs: number, context: Uint8Array): void;
  /** The peer subscribes to a prefix, a byte string, or cancels it. */
  onSubscription(prefix: string, isSubscribed: boolean): void;
  /** A command without effect, such as PONG. */
  onIgnored(): void;
}

export interface PeerReaderSettings extends HandshakeSettings {
  readonly limits: MessageLimits;
  /** Whether messages that are too large are reported. Otherwise they are violations. */
  readonly skipsOversized?: boolean;
}

const NO_CHUNK = Buffer.alloc(0);

export class PeerReader implements MessageSink {
  readonly #settings: PeerReaderSettings;
  readonly #listener: PeerReaderListener;
  readonly #handshake: Handshake;
  /** Reads what follows the handshake. */
  #messages: MessageReader | undefined;
  /** Bytes that wait until the peer is authenticated: the rest of one chunk, because the socket is paused meanwhile. */
  #rest: Buffer | undefined;
  /** Bytes that were read to where they belong, and that `read` has not seen. */
  #filledBytes = 0;
  #isStopped = false;
  #violation: Violation | undefined;

  constructor(settings: PeerReaderSettings, listener: PeerReaderListener) {
    this.#settings = settings;
    this.#listener = listener;
    this.#handshake = new Handshake(settings, listener);
  }

  /** Whether the other end has greeted. */
  get isGreeted(): boolean {
    return this.#handshake.isGreeted;
  }

  /** What has arrived of a message or command after the handshake that is not whole yet. */
  get unfinishedBytes(): number {
    return this.#messages?.unfinishedBytes ?? 0;
  }

  /** The memory that it takes. */
  get keptBytes(): number {
    return this.#messages?.keptBytes ?? 0;
  }

  /** Whether a part of a command has arrived. */
  get isWithinCommand(): boolean {
    return this.#messages?.isWithinCommand ?? false;
  }

  /**
   * @param isOurs the caller does not reuse the chunk
   * @returns what the other end did wrong
   */
  read(chunk: Buffer, isOurs: boolean): Violation | undefined {
    if (this.#messages === undefined) return this.#readHandshake(chunk, isOurs);
    const filledBytes = this.#filledBytes;
    this.#filledBytes = 0;
    const violation = filledBytes > 0 ? this.#messages.filled(filledBytes) : this.#messages.read(chunk, 0, isOurs);
    this.#violation ??= violation;
    return this.#violation;
  }

  /** Where the next bytes belong, if they are many bytes of one frame: the socket may read into it, and then calls `fill`. */
  get target(): Buffer | undefined {
    return this.#messages?.target;
  }

  /** Whether a large frame has ended since the last call: another one may follow. */
  takeHasReadLarge(): boolean {
    return this.#messages?.takeHasReadLarge() === true;
  }

  /** So many bytes were read into `target`. @returns the chunk to `read` for it */
  fill(bytes: number): Buffer {
    this.#filledBytes = bytes;
    return NO_CHUNK;
  }

  /** The peer is authorized. @returns what it did wrong in the bytes that waited */
  authorize(): Violation | undefined {
    const rest = this.#rest;
    this.#rest = undefined;
    this.#handshake.authorize();
    return this.#readHandshake(rest ?? Buffer.alloc(0), true);
  }

  /** Reads no further than the end of the present message. The caller takes the rest, and reads it later. */
  pause(): void {
    this.#messages?.pause();
  }

  takeUnread(): Buffer | undefined {
    return this.#messages?.takeUnread();
  }

  /** Reports nothing more. */
  stop(): void {
    this.#isStopped = true;
    this.#messages?.stop();
  }

  onMessage(frames: readonly Uint8Array[]): void {
    this.#listener.onMessage(frames);
  }

  onOversized(message: OversizedMessage): void {
    this.#listener.onOversized?.(message);
  }

  onCommand(body: Buffer): void {
    const command = decodeTrafficCommand(body, this.#settings.mechanism.name);
    if ("code" in command) {
      this.#violation = command;
      this.#messages?.stop();
      return;
    }
    switch (command.type) {
      case "ping":
        return this.#listener.onPing(command.ttlMs, command.context);
      case "subscribe":
      case "cancel":
        return this.#listener.onSubscription(command.prefix, command.type === "subscribe");
      case "ignored":
        return this.#listener.onIgnored();
      default:
        command satisfies never;
    }
  }

  #readHandshake(chunk: Buffer, isOurs: boolean): Violation | undefined {
    if (this.#rest !== undefined) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      return undefined;
    }
    const at = this.#handshake.read(chunk, 0);
    this.#violation = this.#handshake.violation;
    if (this.#violation !== undefined || this.#isStopped) return this.#violation;
    if (this.#handshake.isComplete) return this.#beginMessages(chunk, at, isOurs);
    // Bytes are left only behind a frame that waits for its authentication.
    if (at < chunk.length) this.#rest = isOurs ? chunk.subarray(at) : Buffer.from(chunk.subarray(at));
    return undefined;
  }

  #beginMessages(chunk: Buffer, from: number, isOurs: boolean): Violation | undefined {
    const { protection } = this.#handshake;
    const { limits, skipsOversized = false } = this.#settings;
    this.#messages = new MessageReader({ ...limits, skipsOversized }, this, protection);
    this.#listener.onHandshakeComplete(protection);
    if (this.#isStopped) this.#messages.stop();
    const violation = this.#messages.read(chunk, from, isOurs);
    this.#violation ??= violation;
    return this.#violation;
  }
}
