import { readBytes } from "../../ids.ts";
import type { BrokerDialect, Role } from "../dialect.ts";
import { decodeFromClient, decodeFromWorker, detectClient, detectWorker } from "./decode.ts";
import { encodeToClient, encodeToWorker } from "./encode.ts";

export interface ButlerOptions {
  /** Whether to read what workers send, which has no header. Only on a bind where nothing else could be meant. */
  readonly readsWorkers: boolean;
  /** Milliseconds since 1970: butler's expirations are points in time. */
  readonly wallClock: () => number;
}

/** butler 0.3.0. */
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
      hearsOfExpiry: false,
    },
    detect: (frames): Role | undefined => detectClient(frames) ?? (readsWorkers ? detectWorker(frames) : undefined),
    decodeFromClient: (frames) => decodeFromClient(frames, wallClock()),
    decodeFromWorker,
    encodeToClient,
    encodeToWorker: (message) => encodeToWorker(message, wallClock()),
    // Nothing else that a worker is sent has an empty second frame.
    addressIn: ([address, delimiter]) =>
      address !== undefined && delimiter?.length === 0 ? readBytes(address) : undefined,
  };
}
