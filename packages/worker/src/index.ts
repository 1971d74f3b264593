export type { DialectName, Logger, LossReason } from "@pigato/peer";
export { RequestError, UsageError } from "@pigato/protocol";
export {
  type ConnectionRejection,
  type CurveKey,
  type CurveOptions,
  LinkError,
  type PlainOptions,
} from "@pigato/transport";
export { isWorkerOption, type WorkerConf, type WorkerOptions } from "./options.ts";
export { Pusher, type PusherOptions } from "./pusher.ts";
export type { Reply } from "./reply.ts";
export type { InputStream } from "./reply-input.ts";
export type { ReplyOptions } from "./reply-port.ts";
export type { RequestInfo } from "./request-info.ts";
export type { IncomingRequest, RequestLoop } from "./request-loop.ts";
export { Sink, type SinkEvents, type SinkOptions } from "./sink.ts";
export { type RequestHandler, Worker, type WorkerEvents } from "./worker.ts";
