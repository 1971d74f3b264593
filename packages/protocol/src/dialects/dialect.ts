// A dialect converts frames to messages and back, at both ends of both links. Its functions are pure but for caches. Frames do
// not include the routing id that a ROUTER prepends.

import type { Capabilities } from "../capabilities.ts";
import type { Frames, FrameToSend } from "../frame.ts";
import type { FromClient, FromWorker, ToClient, ToWorker } from "../message.ts";
import type { Violation } from "../violation.ts";

/** Whether a peer sends requests or serves them. */
export type Role = "client" | "worker";

/** How peers of a dialect behave, as far as the broker core depends on it. Plain data. */
export interface DialectTraits {
  /** A worker takes one request at a time. */
  readonly isSequential: boolean;
  /** A worker sends no heartbeat while it handles a request, so its silence is no sign of failure then (D-LIVE-2). */
  readonly isSilentWhileBusy: boolean;
  /** The broker disconnects a worker for an unexpected valid message and ignores an invalid one (D-MDP-8, D-MDP-9). */
  readonly dropsInvalid: boolean;
  /** A client that did not negotiate takes a partial that is `null` for the end of the reply (P-REP-5). */
  readonly endsOnNull: boolean;
  /** A client chooses the request ids; otherwise the broker does (D-MAP-6). */
  readonly hasRequestIds: boolean;
  /** A client understands partials (D-MAP-4). */
  readonly takesPartials: boolean;
  /** A client that asked for notices gets a heartbeat of its request when it is dispatched, and those of its worker (D-OMDP-6). */
  readonly notifiesByHeartbeat: boolean;
  /** A client sends and receives bodies of any number of frames. */
  readonly hasFrames: boolean;
  /** The broker reports an expired request even to a client that did not negotiate `error`. */
  readonly reportsExpiry: boolean;
}

/** The broker's end of a dialect. */
export interface BrokerDialect {
  /** Dialects with the same id have the same traits and the same encoders. */
  readonly id: string;
  readonly traits: DialectTraits;
  /** The role of the peer that sent these frames; `undefined` if they are of another dialect. */
  detect(frames: Frames): Role | undefined;
  decodeFromClient(frames: Frames): FromClient | Violation;
  decodeFromWorker(frames: Frames): FromWorker | Violation;
  /** `undefined` if the dialect has no frames for the message; it is not sent then. */
  encodeToClient(message: ToClient, capabilities: Capabilities): FrameToSend[] | undefined;
  encodeToWorker(message: ToWorker): FrameToSend[] | undefined;
  /** The address in a request that `encodeToWorker` wrote; `undefined` for other frames. */
  addressIn(frames: Frames): string | undefined;
}

/** Both ends of a dialect. */
export interface Dialect extends BrokerDialect {
  encodeFromClient(message: FromClient): FrameToSend[] | undefined;
  encodeFromWorker(message: FromWorker): FrameToSend[] | undefined;
  decodeToClient(frames: Frames): ToClient | Violation;
  decodeToWorker(frames: Frames): ToWorker | Violation;
}

/** A dialect that has frames for every message. */
export interface CompleteDialect extends Dialect {
  encodeToClient(message: ToClient, capabilities: Capabilities): FrameToSend[];
  encodeToWorker(message: ToWorker): FrameToSend[];
  encodeFromClient(message: FromClient): FrameToSend[];
  encodeFromWorker(message: FromWorker): FrameToSend[];
}
