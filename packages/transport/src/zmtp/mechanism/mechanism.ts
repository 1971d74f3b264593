// A ZMTP security mechanism: how two ends introduce themselves after the greeting, and whether frames are protected afterwards.
// Everything here is pure: a handshake takes commands and returns steps. `../handshake.ts` reads the commands and performs the steps.
//
// A mechanism is a new file in this folder. NULL and PLAIN leave frames as they are: they have no `protection`, and the path of
// a message has no call to a mechanism. CURVE would seal and open every frame.

import type { Credentials, Mechanism } from "../../security/auth-request.ts";
import type { Metadata } from "../metadata.ts";
import type { Violation } from "../wire.ts";

/** One role of a mechanism. All connections of a link share it. */
export interface SecurityMechanism {
  readonly name: Mechanism;
  /** The as-server bit of the greeting. */
  readonly isServer: boolean;
  /** Starts the handshake of one connection. @param own what this end says about itself */
  newHandshake(own: Metadata): MechanismHandshake;
}

export interface MechanismHandshake {
  /** Both ends have greeted. @returns commands to send */
  onGreeting(): readonly Buffer[];
  /** A command arrived, ERROR excepted. Its data is a view of memory that is reused. */
  onCommand(name: string, data: Buffer): HandshakeStep;
  /** The credentials of the last step are authorized. No command arrives before. */
  onAuthorized(): HandshakeStep;
  /** The link accepts the peer of the last step. The handshake is complete once these commands are sent. */
  onAccepted(): readonly Buffer[];
  /** Protects every frame after the handshake. Read once, when the handshake is complete. */
  readonly protection?: FrameProtection | undefined;
}

export type HandshakeStep =
  /** Send these commands and wait for the next one. */
  | { readonly type: "send"; readonly commands: readonly Buffer[] }
  /** Authenticate the peer; then call `onAuthorized`, or end the connection. */
  | { readonly type: "authenticate"; readonly credentials: Credentials }
  /** The peer has introduced itself. Call `onAccepted`, or end the connection. */
  | { readonly type: "introduce"; readonly peer: Metadata }
  | { readonly type: "violation"; readonly violation: Violation };

export interface FrameProtection {
  /** Bytes by which a sealed frame may be longer than its content. */
  readonly overheadBytes: number;
  /** @returns the body of the frame that is sent in place of this one */
  seal(flags: number, body: Uint8Array): Uint8Array;
  /** @param body of a received frame; it may be kept */
  open(body: Buffer): OpenedFrame | Violation;
}

export interface OpenedFrame {
  readonly flags: number;
  readonly body: Buffer;
}
