// The wire: messages, dialects, names, payloads, failures. What the other packages share beyond it is in internal.ts.

export { type Capabilities, NO_CAPABILITIES } from "./capabilities.ts";
export { butler } from "./dialects/butler/index.ts";
export type { BrokerDialect, Dialect } from "./dialects/dialect.ts";
export { majordomo } from "./dialects/mdp/index.ts";
export { omdp } from "./dialects/omdp/index.ts";
export { pigato } from "./dialects/pigato/index.ts";
export {
  type Delivery,
  type Failure,
  type FailureCode,
  PigatoError,
  RequestError,
  UsageError,
} from "./errors.ts";
export type { Frame, FrameToSend } from "./frame.ts";
export type { HandlerError } from "./handler-errors.ts";
export {
  asFrame,
  display,
  type PeerId,
  peerId,
  type RequestId,
  readText,
  requestId,
  type ServiceName,
  serviceName,
  serviceNameFromText,
  writeText,
} from "./ids.ts";
export type { DisconnectReason, FromClient, FromWorker, ToClient, ToWorker } from "./message.ts";
export { decodePayload, encodePayload, NOT_JSON, NULL_FRAME } from "./payload.ts";
export { DEFAULT_REQUEST_OPTIONS, type RequestOptions } from "./request-options.ts";
export type { Violation } from "./violation.ts";
