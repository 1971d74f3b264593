// The Majordomo protocol: 0.1, 0.2 as in RFC 18, and the variants of 0.2 that real peers speak.

import { DecodeCache } from "../../decode-cache.ts";
import { readBytes, serviceName } from "../../ids.ts";
import { DEFAULT_REQUEST_OPTIONS, DEFAULT_TIMEOUT_MS, type RequestOptions } from "../../request-options.ts";
import type { Dialect, DialectTraits } from "../dialect.ts";
import {
  addressIn,
  type Context,
  decodeFromClient,
  decodeFromWorker,
  decodeToClient,
  decodeToWorker,
  detect,
} from "./decode.ts";
import { encodeFromClient, encodeFromWorker, encodeToClient, encodeToWorker } from "./encode.ts";
import { FLAVORS, type Flavor } from "./wire.ts";

export interface MajordomoOptions {
  /** Whether to send failures to clients, as a JSON body. @defaultValue false: as in the RFCs, clients get no reply */
  readonly answersErrors?: boolean;
  /** Milliseconds without a reply after which a request expires. @defaultValue 60 000 */
  readonly timeoutMs?: number;
}

/** All Majordomo dialects, in the order of detection, each with a decode cache of its own. */
export function majordomo(options: MajordomoOptions = {}): readonly Dialect[] {
  const { answersErrors = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  // D-MDP-10: RFC 7 assumes idempotent workers, so a request whose worker is lost goes to another one.
  const requestOptions = Object.freeze({ ...DEFAULT_REQUEST_OPTIONS, timeoutMs, retry: true });
  return FLAVORS.map((flavor) => dialectOf(flavor, requestOptions, answersErrors));
}

function dialectOf(flavor: Flavor, requestOptions: RequestOptions, answersErrors: boolean): Dialect {
  const context: Context = { flavor, services: new DecodeCache((frame) => serviceName(readBytes(frame))) };
  const traits: DialectTraits = {
    isSequential: true,
    isSilentWhileBusy: true,
    dropsInvalid: true,
    endsOnNull: false,
    hasRequestIds: false,
    takesPartials: flavor.client !== undefined,
    notifiesByHeartbeat: false,
    hasFrames: true,
    reportsExpiry: answersErrors,
  };
  return {
    // The traits and the encoders depend on this option, so the id does as well.
    id: answersErrors ? `${flavor.id}+errors` : flavor.id,
    traits,
    detect: (frames) => detect(flavor, frames),
    decodeFromClient: (frames) => decodeFromClient(context, frames, requestOptions),
    decodeFromWorker: (frames) => decodeFromWorker(context, frames),
    encodeToClient: (message) => encodeToClient(flavor, message, answersErrors),
    encodeToWorker: (message) => encodeToWorker(flavor, message),
    addressIn: (frames) => addressIn(flavor, frames),
    encodeFromClient: (message) => encodeFromClient(flavor, message),
    encodeFromWorker: (message) => encodeFromWorker(flavor, message),
    decodeToClient: (frames) => decodeToClient(context, frames),
    decodeToWorker: (frames) => decodeToWorker(flavor, frames),
  };
}
