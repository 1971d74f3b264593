export type { DialectName, Logger, LossReason } from "@pigato/peer";
export { type Delivery, type FailureCode, RequestError, UsageError } from "@pigato/protocol";
export { type CurveKey, type CurveOptions, LinkError, type PlainOptions } from "@pigato/transport";
export type { Broadcast, BroadcastOptions, BroadcastResult } from "./broadcast.ts";
export { type Caller, type OpenRequest, type ReplyCallback, ReplyStream } from "./call.ts";
export type { CallOptions } from "./call-options.ts";
export { Client, type ClientEvents } from "./client.ts";
export { type ClientOptions, isClientOption } from "./options.ts";
export type { Notice, Progress } from "./session/effects.ts";
