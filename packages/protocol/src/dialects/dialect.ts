// What a dialect is: frames to messages and back, for both ends of both links. Everything in it is a pure function.
// Frames are counted without the routing id that a ROUTER puts in front.

import type { Capabilities } from "../capabilities.ts";
import type { Frame, FrameToSend } from "../frame.ts";
import type { FromClient, FromWorker, ToClient, ToWorker, Violation } from "../message.ts";

/** Which side of the broker a peer is on. */
export type Role = "client" | "worker";

/** How peers of a dialect behave, as far as the broker's mind must know. */
export interface DialectTraits {
  /** A worker takes one request at a time. */
  readonly isSequential: boolean;
  /** A worker sends no heartbeat while it works on a request, so that its silence says nothing then (D-LIVE-2). */
  readonly isSilentWhileBusy: boolean;
  /** What a worker sends that is valid but not expected gets it disconnected, what is invalid no answer (D-MDP-8, 9). */
  readonly dropsInvalid: boolean;
  /** A client takes a part of a reply that is `null` for its end, unless it negotiated (P-REP-5). */
  readonly endsOnNull: boolean;
  /** A client names its requests; if not, the broker does (D-MAP-6). */
  readonly hasRequestIds: boolean;
  /** A client has a message for a part of a reply (D-MAP-4). */
  readonly takesPartials: boolean;
  /** A client that negotiated nothing is told all the same that its request expired. */
  readonly hearsOfExpiry: boolean;
}

/** The broker's end of a dialect. */
export interface BrokerDialect {
  /** Dialects with the same id have the same traits and encoders. */
  readonly id: string;
  readonly traits: DialectTraits;
  /** The role of the peer that sends a message that starts so; `undefined` if this is not the dialect's. */
  detect(frames: readonly Frame[]): Role | undefined;
  decodeFromClient(frames: readonly Frame[]): FromClient | Violation;
  decodeFromWorker(frames: readonly Frame[]): FromWorker | Violation;
  /** `undefined`: the dialect has no frames for it, it is not sent. */
  encodeToClient(message: ToClient, capabilities: Capabilities): FrameToSend[] | undefined;
  encodeToWorker(message: ToWorker): FrameToSend[] | undefined;
  /** The address in a request as `encodeToWorker` wrote it; `undefined` for frames of anything else. */
  addressIn(frames: readonly Frame[]): string | undefined;
}

/** Both ends of a dialect. */
export interface Dialect extends BrokerDialect {
  encodeFromClient(message: FromClient): FrameToSend[] | undefined;
  encodeFromWorker(message: FromWorker): FrameToSend[] | undefined;
  decodeToClient(frames: readonly Frame[]): ToClient | Violation;
  decodeToWorker(frames: readonly Frame[]): ToWorker | Violation;
}

/** A dialect that has frames for every message. */
export interface CompleteDialect extends Dialect {
  encodeToClient(message: ToClient, capabilities: Capabilities): FrameToSend[];
  encodeToWorker(message: ToWorker): FrameToSend[];
  encodeFromClient(message: FromClient): FrameToSend[];
  encodeFromWorker(message: FromWorker): FrameToSend[];
}
