export { RequestError, UsageError } from "@pigato/protocol";
export type { ServiceMap } from "@pigato/protocol/internal";
export type { Reply, Worker, WorkerOptions } from "@pigato/worker";
export {
  CoreService,
  type CoreServiceEvents,
  type CoreServiceHandler,
  type CoreServiceOptions,
} from "./core-service.ts";
