import type { CompleteDialect } from "../dialect.ts";
import { decodeFromClient, decodeFromWorker, decodeToClient, decodeToWorker } from "./decode.ts";
import { encodeFromClient, encodeFromWorker, encodeToClient, encodeToWorker } from "./encode.ts";
import { addressInRequest, CLIENT_TAG, isTag, WORKER_TAG } from "./wire.ts";

/** The native dialect: every frame is text, no delimiter, request ids of the client's own. */
export const pigato: CompleteDialect = {
  id: "pigato",
  traits: {
    isSequential: false,
    isSilentWhileBusy: false,
    dropsInvalid: false,
    endsOnNull: true,
    hasRequestIds: true,
    takesPartials: true,
    hearsOfExpiry: false,
  },
  detect(frames) {
    if (isTag(frames[0], CLIENT_TAG)) return "client";
    return isTag(frames[0], WORKER_TAG) ? "worker" : undefined;
  },
  decodeFromClient,
  decodeFromWorker,
  encodeToClient,
  encodeToWorker,
  addressIn: addressInRequest,
  encodeFromClient,
  encodeFromWorker,
  decodeToClient,
  decodeToWorker,
};
