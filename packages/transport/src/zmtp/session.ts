// What one end hears on a connection, from the first byte on: greeting, READY, then messages and PINGs. Pure: it is given
// bytes and tells what they mean; the connection acts on it. The first violation is the last thing that it says.

import { decodeCommand } from "./commands.ts";
import { type FrameLimits, FrameReader, type FrameSink } from "./frame-reader.ts";
import { GreetingReader } from "./greeting.ts";
import type { Violation } from "./violation.ts";

export interface SessionListener {
  /** The other end greeted. @param speaks31 it answers a PING */
  onGreeting(speaks31: boolean): void;
  /** The other end introduced itself; messages may come now, unless this answers why it is refused. */
  onReady(socketType: string, routingId: string): Violation | undefined;
  onMessage(frames: readonly Uint8Array[]): void;
  /** To be answered with the same context. @param ttlMs without anything for so long, the other end is gone; 0: never */
  onPing(ttlMs: number, context: Uint8Array): void;
  /** What starts with the prefix, a byte string, is wanted from now on, or no more. */
  onSubscription(prefix: string, isWanted: boolean): void;
}

export class Session implements FrameSink {
  readonly #listener: SessionListener;
  readonly #greeting = new GreetingReader();
  readonly #reader: FrameReader;
  #isReady = false;
  #violation: Violation | undefined;

  constructor(limits: FrameLimits, listener: SessionListener) {
    this.#listener = listener;
    this.#reader = new FrameReader(limits, this);
  }

  /** Whether the other end has greeted. */
  get isGreeted(): boolean {
    return this.#greeting.isComplete;
  }

  /**
   * @param isOurs the chunk will not be used again by whoever read it
   * @returns what the other end did wrong
   */
  read(chunk: Buffer, isOurs: boolean): Violation | undefined {
    let at = 0;
    if (!this.#greeting.isComplete) {
      at = this.#greeting.read(chunk, 0);
      this.#violation = this.#greeting.check();
      if (this.#violation !== undefined || !this.#greeting.isComplete) return this.#violation;
      this.#listener.onGreeting(this.#greeting.speaks31);
    }
    const violation = this.#reader.read(chunk, at, isOurs);
    this.#violation ??= violation;
    return this.#violation;
  }

  /** Nothing more is told. */
  stop(): void {
    this.#reader.stop();
  }

  onMessage(frames: readonly Uint8Array[]): void {
    this.#listener.onMessage(frames);
  }

  onCommand(body: Buffer): void {
    this.#violation = this.#obey(body);
    if (this.#violation !== undefined) this.#reader.stop();
  }

  #obey(body: Buffer): Violation | undefined {
    const command = decodeCommand(body);
    if ("code" in command) return command;
    if (command.type === "error") return refusedWith(command.reason);
    if (!this.#isReady) {
      if (command.type !== "ready") return { code: "PROTOCOL", detail: `${command.type} instead of READY` };
      const refusal = this.#listener.onReady(command.socketType, command.routingId);
      if (refusal !== undefined) return refusal;
      this.#isReady = true;
      this.#reader.acceptMessages();
      return undefined;
    }
    switch (command.type) {
      case "ready":
        return { code: "PROTOCOL", detail: "a second READY" };
      case "ping":
        this.#listener.onPing(command.ttlMs, command.context);
        return undefined;
      case "subscribe":
      case "cancel":
        this.#listener.onSubscription(command.prefix, command.type === "subscribe");
        return undefined;
      case "pong":
      case "unknown": // of a later version of ZMTP, perhaps
        return undefined;
      default:
        command satisfies never;
        return undefined;
    }
  }
}

/** libzmq gives as reason the status with which its ZAP handler kept us out. */
function refusedWith(reason: string): Violation {
  switch (reason) {
    case "400":
      return { code: "DENIED", detail: "it does not let us in with what we show (NULL)" };
    case "300":
    case "500":
      return { code: "UNDECIDED", detail: `it could not find out whether to let us in (${reason})` };
    default:
      return { code: "REFUSED", detail: `the other end says: ${reason}` };
  }
}
