// The handshake of one connection: both greetings, then the commands of the mechanism, until the link accepts the peer. Pure:
// it takes bytes, and the listener performs what follows. The first violation is final.
//
// It reads one frame at a time and stops after the frame that needs a decision or completes it, so that bytes behind it are
// read later, or by others.

import type { Credentials } from "../security/auth-request.ts";
import { decodeError, splitCommand } from "./commands.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { GreetingReader } from "./greeting.ts";
import type { FrameProtection, HandshakeStep, MechanismHandshake, SecurityMechanism } from "./mechanism/mechanism.ts";
import { checkCommand } from "./message-assembler.ts";
import type { Metadata } from "./metadata.ts";
import { COMMAND, protocolViolation, type Violation } from "./wire.ts";

export interface HandshakeListener {
  /** The other end has greeted. @param speaks31 it speaks ZMTP 3.1, and so answers PING */
  onGreeting(speaks31: boolean): void;
  /** Send a command. @param body of its frame */
  onSendCommand(body: Buffer): void;
  /** Authenticate the peer, then call `authorize` or end the connection. Until then nothing is read. */
  onAuthenticate(credentials: Credentials): void;
  /** The peer has introduced itself. @returns why it is rejected */
  onIntroduced(peer: Metadata): Violation | undefined;
}

export interface HandshakeSettings {
  readonly mechanism: SecurityMechanism;
  /** What this end says about itself. */
  readonly metadata: Metadata;
}

/** The cause can be anything, but libzmq has no other answer to a greeting with a mechanism that it does not accept. */
export const CLOSED_BEFORE_GREETING: Violation = Object.freeze({
  code: "HANDSHAKE_FAILED",
  detail:
    "the peer closed the connection before its greeting: it may require another mechanism, such as curve or plain, or have too many connections",
});

type State = "greeting" | "commands" | "authenticating" | "complete" | "failed";

export class Handshake implements FrameSink {
  readonly #mechanism: SecurityMechanism;
  readonly #listener: HandshakeListener;
  readonly #greeting: GreetingReader;
  readonly #exchange: MechanismHandshake;
  readonly #frames = new FrameReader(this);
  #state: State = "greeting";
  #violation: Violation | undefined;

  constructor({ mechanism, metadata }: HandshakeSettings, listener: HandshakeListener) {
    this.#mechanism = mechanism;
    this.#listener = listener;
    this.#greeting = new GreetingReader(mechanism.name);
    this.#exchange = mechanism.newHandshake(metadata);
  }

  /** Whether the other end has greeted. */
  get isGreeted(): boolean {
    return this.#greeting.isComplete;
  }

  get isComplete(): boolean {
    return this.#state === "complete";
  }

  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** What protects frames from now on. Only when complete. */
  get protection(): FrameProtection | undefined {
    return this.#exchange.protection;
  }

  /** Reads a chunk from the byte `from` on. @returns where it stopped: the rest is not part of it, or must wait */
  read(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#state === "greeting") at = this.#readGreeting(chunk, at);
    while (this.#state === "commands" && at < chunk.length) {
      at = this.#frames.read(chunk, at);
      if (this.#frames.violation !== undefined) this.#fail(this.#frames.violation);
    }
    return at;
  }

  /** The peer is authorized. Reading continues. */
  authorize(): void {
    if (this.#state !== "authenticating") return;
    this.#state = "commands";
    this.#perform(this.#exchange.onAuthorized());
  }

  onHeader(flags: number, size: number): Violation | undefined {
    if (flags & COMMAND) return checkCommand(flags, size);
    return protocolViolation("a message before the end of the handshake");
  }

  onFrame(_flags: number, body: Buffer): void {
    const command = splitCommand(body);
    if ("code" in command) return this.#fail(command);
    if (command.name === "ERROR") return this.#fail(decodeError(command.data, this.#mechanism.name));
    this.#perform(this.#exchange.onCommand(command.name, command.data));
  }

  #readGreeting(chunk: Buffer, from: number): number {
    const at = this.#greeting.read(chunk, from);
    const violation = this.#greeting.check();
    if (violation !== undefined) {
      this.#fail(violation);
    } else if (this.#greeting.isComplete) {
      this.#state = "commands";
      this.#listener.onGreeting(this.#greeting.speaks31);
      this.#send(this.#exchange.onGreeting());
    }
    return at;
  }

  #perform(step: HandshakeStep): void {
    switch (step.type) {
      case "send":
        return this.#send(step.commands);
      case "authenticate":
        this.#state = "authenticating";
        return this.#listener.onAuthenticate(step.credentials);
      case "introduce": {
        const violation = this.#listener.onIntroduced(step.peer);
        if (violation !== undefined) return this.#fail(violation);
        this.#send(this.#exchange.onAccepted());
        this.#state = "complete";
        return;
      }
      case "violation":
        return this.#fail(step.violation);
      default:
        step satisfies never;
    }
  }

  #send(commands: readonly Buffer[]): void {
    for (const command of commands) this.#listener.onSendCommand(command);
  }

  #fail(violation: Violation): void {
    this.#state = "failed";
    this.#violation ??= violation;
  }
}

/** libzmq closes the connection as soon as it reads a greeting with another mechanism than its own. */
export function closedDuring({ name }: SecurityMechanism): Violation {
  return {
    code: "HANDSHAKE_FAILED",
    detail: `the peer closed the connection during the ${name} handshake`,
    mechanism: name,
  };
}
