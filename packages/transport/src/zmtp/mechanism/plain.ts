// PLAIN (RFC 24): a username and a password in clear text.
//
//   client: HELLO(username, password)      → server: WELCOME, or ERROR(status)
//   client: INITIATE(metadata)             → server: READY(metadata)
//
// Both ends reject a command out of order, an unknown one, and one with bytes that do not belong to it.

import { isUtf8 } from "node:buffer";
import { encodeCommand } from "../commands.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../metadata.ts";
import { protocolViolation } from "../wire.ts";
import type { HandshakeStep, MechanismHandshake, SecurityMechanism } from "./mechanism.ts";

const WELCOME = encodeCommand("WELCOME");
const WAIT: HandshakeStep = { type: "send", commands: [] };

/** @param username and password have 1 to 255 bytes of UTF-8 each */
export function plainPeer(username: string, password: string): SecurityMechanism {
  const hello = encodeCommand("HELLO", encodeWord(username), encodeWord(password));
  return { name: "PLAIN", isServer: false, newHandshake: (own) => new PlainPeerHandshake(own, hello) };
}

export const PLAIN_LISTENER: SecurityMechanism = {
  name: "PLAIN",
  isServer: true,
  newHandshake: (own) => new PlainListenerHandshake(own),
};

class PlainPeerHandshake implements MechanismHandshake {
  readonly #own: Metadata;
  readonly #hello: Buffer;
  #expected: "WELCOME" | "READY" = "WELCOME";

  constructor(own: Metadata, hello: Buffer) {
    this.#own = own;
    this.#hello = hello;
  }

  onGreeting(): readonly Buffer[] {
    return [this.#hello];
  }

  onCommand(name: string, data: Buffer): HandshakeStep {
    if (name !== this.#expected) return unexpected(name, this.#expected);
    if (name === "READY") return introduce(data);
    if (data.length > 0) return violation("WELCOME with data");
    this.#expected = "READY";
    return { type: "send", commands: [encodeCommand("INITIATE", encodeMetadata(this.#own))] };
  }

  /** A client authenticates no peer, so it has no such step. */
  onAuthorized(): HandshakeStep {
    return WAIT;
  }

  onAccepted(): readonly Buffer[] {
    return [];
  }
}

class PlainListenerHandshake implements MechanismHandshake {
  readonly #own: Metadata;
  #expected: "HELLO" | "INITIATE" = "HELLO";

  constructor(own: Metadata) {
    this.#own = own;
  }

  onGreeting(): readonly Buffer[] {
    return [];
  }

  onCommand(name: string, data: Buffer): HandshakeStep {
    if (name !== this.#expected) return unexpected(name, this.#expected);
    return name === "HELLO" ? readHello(data) : introduce(data);
  }

  onAuthorized(): HandshakeStep {
    this.#expected = "INITIATE";
    return { type: "send", commands: [WELCOME] };
  }

  onAccepted(): readonly Buffer[] {
    return [encodeCommand("READY", encodeMetadata(this.#own))];
  }
}

function readHello(data: Buffer): HandshakeStep {
  const usernameEnd = 1 + (data[0] ?? 0);
  const passwordEnd = usernameEnd + 1 + (data[usernameEnd] ?? 0);
  if (usernameEnd >= data.length || passwordEnd !== data.length) {
    return violation("HELLO is not a username and a password");
  }
  const [username, password] = [data.subarray(1, usernameEnd), data.subarray(usernameEnd + 1)];
  // Different bytes must not decode to the same text.
  if (!isUtf8(username) || !isUtf8(password)) return violation("HELLO is not UTF-8");
  const credentials = { mechanism: "PLAIN", username: username.toString(), password: password.toString() } as const;
  return { type: "authenticate", credentials };
}

function introduce(data: Buffer): HandshakeStep {
  const peer = decodeMetadata(data);
  return "code" in peer ? { type: "violation", violation: peer } : { type: "introduce", peer };
}

function unexpected(name: string, expected: string): HandshakeStep {
  return violation(`${JSON.stringify(name)} instead of ${expected}`);
}

function violation(detail: string): HandshakeStep {
  return { type: "violation", violation: protocolViolation(detail) };
}

function encodeWord(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Uint8Array.of(bytes.length), bytes]);
}
