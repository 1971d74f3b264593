import type { BrokerDialect } from "../dialect.ts";
import { pigato } from "../pigato/index.ts";
import { decodeFromClient, decodeFromWorker } from "./decode.ts";
import { encodeToClient, encodeToWorker } from "./encode.ts";

/** zmq-omdp 0.0.92. Instead of `pigato` on a bind that says so: their first messages are the same. */
export const omdp: BrokerDialect = {
  id: "omdp",
  traits: {
    isSequential: true,
    isSilentWhileBusy: false,
    dropsInvalid: true,
    endsOnNull: false,
    hasRequestIds: true,
    takesPartials: true,
    hearsOfExpiry: false,
  },
  detect: (frames) => pigato.detect(frames),
  decodeFromClient,
  decodeFromWorker,
  encodeToClient,
  encodeToWorker,
  addressIn: (frames) => pigato.addressIn(frames),
};
