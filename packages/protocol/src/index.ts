export {
  DIRECTORY_TOPIC,
  type DirectorySnapshot,
  decodeDirectory,
  encodeDirectory,
  type ServiceMap,
} from "./announcement.ts";
export {
  type Capabilities,
  concurrencyFromWire,
  concurrencyToWire,
  formatCapabilities,
  NO_CAPABILITIES,
  offerOf,
  parseCapabilities,
  sharedCapabilities,
} from "./capabilities.ts";
export { addCredit, MAX_CREDIT, spendOne } from "./credit.ts";
export { type Deadline, Deadlines, type Instant } from "./deadlines.ts";
export { DecodeCache } from "./decode-cache.ts";
export { type ButlerOptions, butler } from "./dialects/butler/index.ts";
export type { BrokerDialect, CompleteDialect, Dialect, DialectTraits, Role } from "./dialects/dialect.ts";
export { type MajordomoOptions, majordomo } from "./dialects/mdp/index.ts";
export { type MajordomoPeer, type MajordomoVersion, majordomoPeer } from "./dialects/mdp/peer.ts";
export { omdp, omdpDialect } from "./dialects/omdp/index.ts";
export { pigato, pigatoDialect } from "./dialects/pigato/index.ts";
export { MAX_RAW_FRAMES, readRawBody, writeRawBody } from "./dialects/raw-body.ts";
export {
  type Delivery,
  type Failure,
  type FailureCode,
  type HandlerError,
  handlerErrorOf,
  isDelivery,
  isFailureCode,
  PigatoError,
  RequestError,
  UsageError,
} from "./errors.ts";
export { type Frame, type FrameToSend, MAX_FRAMES, sameBytes } from "./frame.ts";
export { IdIndex, type Indexed } from "./id-index.ts";
export {
  asFrame,
  display,
  MAX_NAME_BYTES,
  type PeerId,
  peerId,
  peerIdFromText,
  type RequestId,
  readBytes,
  readText,
  requestId,
  requestIdFromText,
  type ServiceName,
  serviceName,
  serviceNameFromText,
  writeBytes,
  writeText,
} from "./ids.ts";
export {
  DEFAULT_HEARTBEAT_MS,
  DEFAULT_LIVENESS,
  intervalOf,
  learnRhythm,
  MAX_HEARTBEAT_MS,
  MIN_LIVENESS,
  type Rhythm,
  UNKNOWN_RHYTHM,
} from "./liveness.ts";
export type {
  FromClient,
  FromWorker,
  NoticeState,
  StreamingMessage,
  ToClient,
  ToWorker,
} from "./message.ts";
export { decodePayload, encodePayload, NOT_JSON, NULL_FRAME, UNDEFINED_FRAME } from "./payload.ts";
export { MAX_CACHE_MS } from "./reply-options.ts";
export {
  DEFAULT_REQUEST_OPTIONS,
  DEFAULT_TIMEOUT_MS,
  MAX_OPTIONS_BYTES,
  parseRequestOptions,
  type RequestOptions,
  timeoutFromWire,
  timeoutToWire,
} from "./request-options.ts";
export { type Violation, violation } from "./violation.ts";
