// NULL (RFC 37): both ends send READY with their metadata.
//
// The listener sends its READY last, so that it can reject a peer before the peer counts as connected. If the listener
// authenticates peers, it does so by their address, before it looks at their metadata.

import { encodeCommand } from "../commands.ts";
import { decodeMetadata, encodeMetadata, type Metadata } from "../metadata.ts";
import { protocolViolation } from "../wire.ts";
import type { HandshakeStep, MechanismHandshake, SecurityMechanism } from "./mechanism.ts";

/** For an end that connects. */
export const NULL_PEER: SecurityMechanism = {
  name: "NULL",
  isServer: false,
  newHandshake: (own) => new NullHandshake(own, "peer"),
};

/** For a listener that accepts every peer. */
export const NULL_LISTENER: SecurityMechanism = {
  name: "NULL",
  isServer: false,
  newHandshake: (own) => new NullHandshake(own, "listener"),
};

/** For a listener that authenticates peers. */
export const NULL_AUTHENTICATING_LISTENER: SecurityMechanism = {
  name: "NULL",
  isServer: false,
  newHandshake: (own) => new NullHandshake(own, "authenticating-listener"),
};

class NullHandshake implements MechanismHandshake {
  readonly #own: Metadata;
  readonly #role: "peer" | "listener" | "authenticating-listener";
  #peer: Metadata | undefined;

  constructor(own: Metadata, role: "peer" | "listener" | "authenticating-listener") {
    this.#own = own;
    this.#role = role;
  }

  onGreeting(): readonly Buffer[] {
    return this.#role === "peer" ? [this.#ready()] : [];
  }

  onCommand(name: string, data: Buffer): HandshakeStep {
    if (name !== "READY") return { type: "violation", violation: protocolViolation(`${name} instead of READY`) };
    const peer = decodeMetadata(data);
    if ("code" in peer) return { type: "violation", violation: peer };
    if (this.#role !== "authenticating-listener") return { type: "introduce", peer };
    this.#peer = peer;
    return { type: "authenticate", credentials: { mechanism: "NULL" } };
  }

  onAuthorized(): HandshakeStep {
    return { type: "introduce", peer: this.#peer ?? { socketType: "", routingId: "" } };
  }

  onAccepted(): readonly Buffer[] {
    return this.#role === "peer" ? [] : [this.#ready()];
  }

  #ready(): Buffer {
    return encodeCommand("READY", encodeMetadata(this.#own));
  }
}
