export type { LossReason } from "@pigato/peer/session";
export { RequestError, UsageError } from "@pigato/protocol";
export type { CurveKey, CurveOptions, PlainOptions } from "@pigato/transport";
export type { DialectName } from "./dialect.ts";
export { isWorkerOption, type WorkerConf, type WorkerOptions } from "./options.ts";
export type { Reply, ReplyOptions } from "./reply.ts";
export { type RequestHandler, Worker, type WorkerEvents } from "./worker.ts";
