// What a dialect is: frames to messages and back, for both ends of both links. Everything in it is a pure function.
// Frames are counted without the routing id that a ROUTER puts in front.

import type { Capabilities } from "../capabilities.ts";
import type { Frame } from "../frame.ts";
import type { FromClient, FromWorker, ToClient, ToWorker, Violation } from "../message.ts";

/** Which side of the broker a peer is on. */
export type Role = "client" | "worker";

export interface Dialect {
  readonly id: string;
  /** The role of the peer that sends a message that starts so; `undefined` if this is not the dialect's. */
  detect(frames: readonly Frame[]): Role | undefined;

  /** At the broker. */
  decodeFromClient(frames: readonly Frame[]): FromClient | Violation;
  decodeFromWorker(frames: readonly Frame[]): FromWorker | Violation;
  encodeToClient(message: ToClient, capabilities: Capabilities): Frame[];
  encodeToWorker(message: ToWorker): Frame[];

  /** At the peers. */
  encodeFromClient(message: FromClient): Frame[];
  encodeFromWorker(message: FromWorker): Frame[];
  decodeToClient(frames: readonly Frame[]): ToClient | Violation;
  decodeToWorker(frames: readonly Frame[]): ToWorker | Violation;
}
