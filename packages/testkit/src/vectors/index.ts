import {
  asFrame,
  type Dialect,
  type Frame,
  type FrameToSend,
  type FromClient,
  type FromWorker,
  type ToClient,
  type ToWorker,
  type Violation,
} from "@pigato/protocol";
import { FROM_CLIENT } from "./from-client.ts";
import { FROM_WORKER } from "./from-worker.ts";
import { TO_CLIENT } from "./to-client.ts";
import { TO_WORKER } from "./to-worker.ts";
import { frames, type Vector } from "./vector.ts";

export { tableOf } from "./table.ts";
export type { Vector } from "./vector.ts";

/** Every vector of the PIGATO dialect. */
export const VECTORS: readonly Vector[] = [...FROM_CLIENT, ...FROM_WORKER, ...TO_CLIENT, ...TO_WORKER];

/** The frames of a vector, decoded at the end that receives them. */
export function decodeVector(
  dialect: Dialect,
  vector: Vector,
): FromClient | FromWorker | ToClient | ToWorker | Violation {
  const message = frames(...vector.frames);
  switch (vector.direction) {
    case "client to broker":
      return dialect.decodeFromClient(message);
    case "worker to broker":
      return dialect.decodeFromWorker(message);
    case "broker to client":
      return dialect.decodeToClient(message);
    case "broker to worker":
      return dialect.decodeToWorker(message);
    default:
      return vector satisfies never;
  }
}

/** The message of a vector, encoded; `undefined` if it is a violation. */
export function encodeVector(dialect: Dialect, vector: Vector): Frame[] | undefined {
  return encode(dialect, vector)?.map(asFrame);
}

function encode(dialect: Dialect, vector: Vector): FrameToSend[] | undefined {
  switch (vector.direction) {
    case "client to broker":
      return vector.message.type === "violation" ? undefined : dialect.encodeFromClient(vector.message);
    case "worker to broker":
      return vector.message.type === "violation" ? undefined : dialect.encodeFromWorker(vector.message);
    case "broker to client":
      return vector.message.type === "violation"
        ? undefined
        : dialect.encodeToClient(vector.message, vector.capabilities);
    case "broker to worker":
      return vector.message.type === "violation" ? undefined : dialect.encodeToWorker(vector.message);
    default:
      return vector satisfies never;
  }
}
