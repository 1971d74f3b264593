export { type Delivery, type FailureCode, type LossReason, RequestError, UsageError } from "@pigato/protocol";
export type { CurveKey, CurveOptions, PlainOptions } from "@pigato/transport";
export type { Broadcast, BroadcastOptions, BroadcastResult } from "./broadcast.ts";
export { type Caller, type OpenRequest, type ReplyCallback, ReplyStream } from "./call.ts";
export type { CallOptions } from "./call-options.ts";
export { Client, type ClientEvents } from "./client.ts";
export type { DialectName } from "./dialect.ts";
export { type ClientOptions, isClientOption } from "./options.ts";
export type { News, Notice } from "./session/effects.ts";
