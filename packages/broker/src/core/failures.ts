// What is said of a request that fails: in words, and whether it may have run.

import { type Delivery, display, type RequestId, type ServiceName } from "@pigato/protocol";
import type { Request } from "./records.ts";

export function describe(requestId: RequestId, service: ServiceName, why: string): string {
  return `request ${display(requestId)} to "${display(service)}" ${why}`;
}

/** What is known, at this moment, of whether the request ran. */
export function deliveryOf({ place, isReceived, mayHaveRun, rejectedBy }: Request): Delivery {
  if (mayHaveRun || (place.at === "worker" && isReceived !== false)) return "maybe-executed";
  return rejectedBy === undefined ? "queued" : "dispatched";
}
