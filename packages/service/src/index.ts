export {
  bytes,
  type Contract,
  clientStream,
  duplex,
  type Interceptor,
  isError,
  MethodError,
  type Methods,
  type Schema,
  serverStream,
  service,
  unary,
} from "@pigato/contract";
export { RequestError, UsageError } from "@pigato/protocol";
export type { RequestLogger } from "./child-logger.ts";
export type { Context } from "./context.ts";
export { type Handler, type Handlers, Host, type HostEvents } from "./host.ts";
export type { ServeOptions } from "./host-interceptors.ts";
export type { MethodCounts } from "./hosted-method.ts";
export type { ServiceStats } from "./introspection.ts";
export type { HostOptions } from "./options.ts";
