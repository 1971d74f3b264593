// butler 0.3.0.

import { readBytes } from "../../ids.ts";
import type { BrokerDialect, Role } from "../dialect.ts";
import { decodeFromClient, decodeFromWorker, detectClient, detectWorker } from "./decode.ts";
import { encodeToClient, encodeToWorker } from "./encode.ts";

export interface ButlerOptions {
  /** Whether to read messages of workers. They have no header, so only a listener set to butler reads them. */
  readonly readsWorkers: boolean;
  /** Milliseconds since 1970; butler's expirations are points in time. */
  readonly wallClock: () => number;
}

/** The dialect of butler 0.3.0. */
export function butler({ readsWorkers, wallClock }: ButlerOptions): BrokerDialect {
  return {
    id: "butler",
    traits: {
      isSequential: true,
      isSilentWhileBusy: true,
      dropsInvalid: true,
      endsOnNull: false,
      hasRequestIds: true,
      takesPartials: false,
      notifiesByHeartbeat: false,
      hasFrames: false,
      reportsExpiry: false,
    },
    detect: (frames): Role | undefined => detectClient(frames) ?? (readsWorkers ? detectWorker(frames) : undefined),
    decodeFromClient: (frames) => decodeFromClient(frames, wallClock()),
    decodeFromWorker,
    encodeToClient,
    encodeToWorker: (message) => encodeToWorker(message, wallClock()),
    // Of all messages to workers, only a request has an empty second frame.
    addressIn: ([address, delimiter]) =>
      address !== undefined && delimiter?.length === 0 ? readBytes(address) : undefined,
  };
}
