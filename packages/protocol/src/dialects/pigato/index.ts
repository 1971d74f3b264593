// The native dialect: every frame is text, there is no delimiter, and clients choose the request ids.

import type { Frames } from "../../frame.ts";
import type { CompleteDialect, DialectTraits, Role } from "../dialect.ts";
import { decodeFromClient, decodeFromWorker, decodeToClient, decodeToWorker } from "./decode.ts";
import { encodeFromClient, encodeFromWorker, encodeToClient, encodeToWorker } from "./encode.ts";
import { CachedFields, type FieldCodec, UNCACHED_FIELDS } from "./fields.ts";
import { addressInRequest, CLIENT_TAG, isTag, WORKER_TAG } from "./wire.ts";

const TRAITS: DialectTraits = Object.freeze({
  isSequential: false,
  isSilentWhileBusy: false,
  dropsInvalid: false,
  endsOnNull: true,
  hasRequestIds: true,
  takesPartials: true,
  notifiesByHeartbeat: false,
  hasFrames: false,
  reportsExpiry: false,
});

/** The PIGATO dialect without state. */
export const pigato: CompleteDialect = dialectWith(UNCACHED_FIELDS);

/** The PIGATO dialect with decode caches of its own, for a peer that decodes many messages. Same id, same frames. */
export function pigatoDialect(): CompleteDialect {
  return dialectWith(new CachedFields());
}

function dialectWith(fields: FieldCodec): CompleteDialect {
  return {
    id: "pigato",
    traits: TRAITS,
    detect,
    decodeFromClient: (frames) => decodeFromClient(fields, frames),
    decodeFromWorker: (frames) => decodeFromWorker(fields, frames),
    encodeToClient,
    encodeToWorker: (message) => encodeToWorker(fields, message),
    addressIn: addressInRequest,
    encodeFromClient: (message) => encodeFromClient(fields, message),
    encodeFromWorker,
    decodeToClient: (frames) => decodeToClient(fields, frames),
    decodeToWorker: (frames) => decodeToWorker(fields, frames),
  };
}

function detect(frames: Frames): Role | undefined {
  if (isTag(frames[0], CLIENT_TAG)) return "client";
  return isTag(frames[0], WORKER_TAG) ? "worker" : undefined;
}
