export type {
  AnyReply,
  AnyRequest,
  Backoff,
  Contract,
  HeaderMap,
  Interceptor,
  JsonSchema,
  MethodDescription,
  MethodErrorOf,
  Methods,
  Next,
  RetryBudget,
  RetryPolicy,
  ServiceDescription,
} from "@pigato/contract";
export type { DialectName, Logger, LossReason } from "@pigato/peer";
export { type Delivery, type FailureCode, RequestError, type RequestId, UsageError } from "@pigato/protocol";
export type { HeaderFields } from "@pigato/protocol/internal";
export {
  type Clock,
  type CurveKey,
  type CurveOptions,
  LinkError,
  type PlainOptions,
  type Transport,
  type TransportChoice,
} from "@pigato/transport";
export type { Broadcast, BroadcastOptions, BroadcastResult } from "./broadcast.ts";
export { type Caller, type OpenRequest, type ReplyCallback, ReplyStream } from "./call.ts";
export type { CallOptions } from "./call-options.ts";
export { Client, type ClientEvents } from "./client.ts";
export type { HeaderListener } from "./header-listeners.ts";
export type { InputSource, RequestInputSource } from "./input-source.ts";
export type {
  Api,
  DuplexCall,
  FunctionOptions,
  MethodCallOptions,
  MethodOptions,
  Remote,
  SafeResult,
  StreamCall,
  UnaryCall,
  UploadCall,
} from "./methods/api.ts";
export type { DescribeOptions } from "./methods/describe.ts";
export { type ClientOptions, isClientOption } from "./options.ts";
export type { CallScope, ScopedClient } from "./scoped-client.ts";
export type { Notice, Progress } from "./session/effects.ts";
