import { DEFAULT_REQUEST_OPTIONS, DEFAULT_TIMEOUT_MS, type RequestOptions } from "../../request-options.ts";
import type { Dialect, DialectTraits } from "../dialect.ts";
import { addressIn, decodeFromClient, decodeFromWorker, decodeToClient, decodeToWorker, detect } from "./decode.ts";
import { encodeFromClient, encodeFromWorker, encodeToClient, encodeToWorker } from "./encode.ts";
import { FLAVORS, type Flavor } from "./wire.ts";

export interface MajordomoOptions {
  /** Whether clients are told of a failure, as a body of JSON. @defaultValue false: they hear nothing, as the RFCs have it */
  readonly answersErrors?: boolean;
  /** Milliseconds without any answer after which a request expires. @defaultValue 60 000 */
  readonly timeoutMs?: number;
}

/** The Majordomo protocol: 0.1, 0.2 as RFC 18 has it first, and the variants of 0.2 that real peers speak. */
export function majordomo(options: MajordomoOptions = {}): readonly Dialect[] {
  const { answersErrors = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  // D-MDP-10: RFC 7 takes workers for idempotent, so that a request whose worker is lost may go to another.
  const wishes = Object.freeze({ ...DEFAULT_REQUEST_OPTIONS, timeoutMs, retry: true });
  return FLAVORS.map((flavor) => dialectOf(flavor, wishes, answersErrors));
}

function dialectOf(flavor: Flavor, wishes: RequestOptions, answersErrors: boolean): Dialect {
  const traits: DialectTraits = {
    isSequential: true,
    isSilentWhileBusy: true,
    dropsInvalid: true,
    endsOnNull: false,
    hasRequestIds: false,
    takesPartials: flavor.client !== undefined,
    hearsOfExpiry: answersErrors,
  };
  return {
    // An id stands for the traits and the encoders (dialects/table.ts), and both depend on this option.
    id: answersErrors ? `${flavor.id}+errors` : flavor.id,
    traits,
    detect: (frames) => detect(flavor, frames),
    decodeFromClient: (frames) => decodeFromClient(flavor, frames, wishes),
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
