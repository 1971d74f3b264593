// Why the broker disconnects a worker or refuses to register it (P-DISC-6). A worker that cannot read reasons gets the bare
// DISCONNECT.

import { type Capabilities, type DisconnectReason, display, type ServiceName, type ToWorker } from "@pigato/protocol";
import type { DropReason, WorkerDownReason } from "./effects.ts";

export type Refusal =
  | Extract<DropReason, "too-many-workers" | "too-many-services" | "reserved-name" | "other-dialect">
  | "stopping";

/** The most services of one worker (P-READY-6). */
export const MAX_SERVICES = 256;

/** Starts the name of a core service (P-DIR-2). */
const CORE_MARK = "$";

/** A DISCONNECT, with its reason if the peer can read one. */
export function disconnectWith(peer: Capabilities | undefined, reason: DisconnectReason | undefined): ToWorker {
  return peer?.error && reason !== undefined ? { type: "disconnect", reason } : { type: "disconnect" };
}

/** @param maxWorkers the option of this name */
export function refusalReason(refusal: Refusal, service: ServiceName, maxWorkers: number): DisconnectReason {
  switch (refusal) {
    case "too-many-workers":
      // Each service of a worker counts.
      return { code: "BUSY", message: `workers offer ${maxWorkers} services, the most that maxWorkers allows` };
    case "too-many-services":
      return { code: "BUSY", message: `the worker offers ${MAX_SERVICES} services, the most for one connection` };
    case "reserved-name": {
      const name = `"${display(service)}"`;
      if (isCoreName(service))
        return { code: "INVALID", message: `the core service ${name} needs a connection of its own` };
      return { code: "INVALID", message: `the broker itself serves ${name}: choose another name` };
    }
    case "other-dialect":
      return { code: "INVALID", message: "its connection spoke another dialect before" };
    case "stopping":
      return { code: "CLOSED", message: "the broker is stopping" };
    default:
      return refusal satisfies never;
  }
}

export function isCoreName(service: ServiceName): boolean {
  return service.startsWith(CORE_MARK);
}

/** `undefined`: the worker left by itself. */
export function lossReason(reason: WorkerDownReason): DisconnectReason | undefined {
  switch (reason) {
    case "silent":
      return { code: "WORKER_LOST", message: "it was silent for too long" };
    case "violation":
      return { code: "INVALID", message: "it violated the protocol" };
    case "drained":
      return { code: "CLOSED", message: "the broker is stopping" };
    case "left":
    case "gone":
      return undefined;
    default:
      return reason satisfies never;
  }
}
