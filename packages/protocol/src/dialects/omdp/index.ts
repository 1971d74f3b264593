// zmq-omdp 0.0.92. A listener set to it reads it instead of `pigato`, because their first messages are the same.

import type { BrokerDialect, Dialect, DialectTraits } from "../dialect.ts";
import { pigato, pigatoDialect } from "../pigato/index.ts";
import { decodeFromClient, decodeFromWorker } from "./decode.ts";
import { encodeToClient, encodeToWorker } from "./encode.ts";

const TRAITS: DialectTraits = Object.freeze({
  isSequential: true,
  isSilentWhileBusy: false,
  dropsInvalid: true,
  endsOnNull: false,
  hasRequestIds: true,
  takesPartials: true,
  notifiesByHeartbeat: true,
  hasFrames: false,
  reportsExpiry: false,
});

/** The dialect of zmq-omdp without state. */
export const omdp: BrokerDialect = dialectOver(pigato);

/** The dialect of zmq-omdp with decode caches of its own, for a broker that decodes many messages. Same id, same frames. */
export function omdpDialect(): BrokerDialect {
  return dialectOver(pigatoDialect());
}

function dialectOver(native: Dialect): BrokerDialect {
  return {
    id: "omdp",
    traits: TRAITS,
    detect: native.detect,
    decodeFromClient: (frames) => decodeFromClient(native, frames),
    decodeFromWorker,
    encodeToClient,
    encodeToWorker,
    addressIn: native.addressIn,
  };
}
