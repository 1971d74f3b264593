import type { Dialect, DialectTraits } from "../dialect.ts";
import { addressIn, decodeFromClient, decodeFromWorker, decodeToClient, decodeToWorker, detect } from "./decode.ts";
import { encodeFromClient, encodeFromWorker, encodeToClient, encodeToWorker } from "./encode.ts";
import { FLAVORS, type Flavor } from "./wire.ts";

const TRAITS: DialectTraits = {
  isSequential: true,
  isSilentWhileBusy: true,
  dropsInvalid: true,
  endsOnNull: false,
};

export interface MajordomoOptions {
  /** Whether clients are told of a failure, as a body of JSON. @defaultValue false: they hear nothing, as the RFCs have it */
  readonly answersErrors?: boolean;
}

/** The Majordomo protocol: 0.1, 0.2 as RFC 18 has it first, and the variants of 0.2 that real peers speak. */
export function majordomo(options: MajordomoOptions = {}): readonly Dialect[] {
  return FLAVORS.map((flavor) => dialectOf(flavor, options.answersErrors ?? false));
}

function dialectOf(flavor: Flavor, answersErrors: boolean): Dialect {
  return {
    id: flavor.id,
    traits: TRAITS,
    detect: (frames) => detect(flavor, frames),
    decodeFromClient: (frames) => decodeFromClient(flavor, frames),
    decodeFromWorker: (frames) => decodeFromWorker(flavor, frames),
    encodeToClient: (message) => encodeToClient(flavor, message, answersErrors),
    encodeToWorker: (message) => encodeToWorker(flavor, message),
    addressIn: (frames) => addressIn(flavor, frames),
    encodeFromClient: (message) => encodeFromClient(flavor, message),
    encodeFromWorker: (message) => encodeFromWorker(flavor, message),
    decodeToClient: (frames) => decodeToClient(flavor, frames),
    decodeToWorker: (frames) => decodeToWorker(flavor, frames),
  };
}
