// What the packages of this repository share beyond the wire. No semver promise: any minor release may change it.

export {
  DIRECTORY_TOPIC,
  type DirectorySnapshot,
  decodeDirectory,
  encodeDirectory,
  type ServiceMap,
} from "./announcement.ts";
export {
  BODY_CODEC_NAMES,
  type BodyCodec,
  type BodyCodecName,
  type BodyCodecs,
  CODEC_OPTIONS,
  isBodyCodecName,
  MALFORMED,
  type RequestCodecs,
  readReplyCodec,
} from "./body-codec.ts";
export {
  formatCapabilities,
  OFFER_WORD,
  offerOf,
  parseCapabilities,
  sharedCapabilities,
} from "./capabilities.ts";
export {
  addCredit,
  addCreditBytes,
  GRANT_BYTES,
  MAX_CREDIT,
  MAX_CREDIT_BYTES,
  spendBytes,
} from "./credit.ts";
export { type Deadline, Deadlines, type Instant, leftToWire } from "./deadlines.ts";
export { DecodeCache } from "./decode-cache.ts";
export type { ButlerOptions } from "./dialects/butler/index.ts";
export type { CompleteDialect, DialectTraits, Role } from "./dialects/dialect.ts";
export { excessFor, excessWithMethod } from "./dialects/excess.ts";
export type { MajordomoOptions } from "./dialects/mdp/index.ts";
export { type MajordomoPeer, type MajordomoVersion, majordomoPeer } from "./dialects/mdp/peer.ts";
export { omdpDialect } from "./dialects/omdp/index.ts";
export { OMDP_CAPABILITIES, omdpPeer } from "./dialects/omdp/peer.ts";
export { pigatoDialect } from "./dialects/pigato/index.ts";
export { headersIn, writeHeaders } from "./dialects/pigato/tags.ts";
export { readRawBody, writeRawBody } from "./dialects/raw-body.ts";
export { isFailureCode, reasonOf } from "./errors.ts";
export { bytesOf, type Frames, isBytes, MAX_FRAMES, MAX_REQUEST_FRAMES, sameBytes } from "./frame.ts";
export { costOfFrames, ownFrames } from "./frame-memory.ts";
export {
  errorFrom,
  type HandlerErrorOptions,
  handlerErrorOf,
  isHandlerError,
  isNestedFailure,
  nestedErrorOf,
} from "./handler-errors.ts";
export { excessOfHeaders, type HeaderFields, MAX_HEADERS_BYTES, withHeadersInOptions } from "./headers.ts";
export { IdIndex, type Indexed } from "./id-index.ts";
export {
  hasControlCharacter,
  isWellFormed,
  MAX_NAME_BYTES,
  peerIdFromText,
  readBytes,
  requestIdFromText,
} from "./ids.ts";
export {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIVENESS,
  type HeartbeatTiming,
  intervalOf,
  MAX_HEARTBEAT_MS,
  MIN_LIVENESS,
  observeHeartbeat,
  UNKNOWN_TIMING,
} from "./liveness.ts";
export type { NoticeState, RequestMessage, StreamingMessage } from "./message.ts";
export { nearestName } from "./nearest-name.ts";
export { getOwn, UNDEFINED_FRAME } from "./payload.ts";
export { MAX_CACHE_MS } from "./reply-options.ts";
export {
  DEFAULT_TIMEOUT_MS,
  isMethodName,
  MAX_OPTIONS_BYTES,
  parseRequestOptions,
  timeoutToWire,
} from "./request-options.ts";
export {
  announcedBounds,
  boundsIn,
  DEFAULT_SIZE_BOUNDS,
  excessOf,
  lowerBoundsIn,
  type SizeBounds,
} from "./size-bounds.ts";
export { isAsyncIterable, isError, isThenable } from "./type-guards.ts";
export { violation } from "./violation.ts";
