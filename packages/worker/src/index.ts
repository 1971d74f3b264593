export { type LossReason, RequestError, UsageError } from "@pigato/protocol";
export type { WorkerConf, WorkerOptions } from "./options.ts";
export type { Reply, ReplyOptions } from "./reply.ts";
export { type RequestHandler, Worker, type WorkerEvents } from "./worker.ts";
