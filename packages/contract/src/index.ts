export type { StandardSchemaV1 } from "@standard-schema/spec";
export { whenEnded } from "./compose.ts";
export { type Contract, isServedName, type Methods, nameOf, service } from "./contract.ts";
export type { JsonSchema, MethodDescription, ServiceDescription } from "./description.ts";
export { callerErrorOf, describeIssues, isError, MethodError, type MethodErrorOf } from "./errors.ts";
export { HeaderMap } from "./header-map.ts";
export type { AnyReply, AnyRequest, Interceptor, Next } from "./interceptor.ts";
export {
  type ClientStreamMethod,
  clientStream,
  type DuplexMethod,
  duplex,
  type ErrorSchemas,
  type Method,
  type MethodKind,
  type NoErrors,
  type ServerStreamMethod,
  serverStream,
  type UnaryMethod,
  unary,
} from "./method.ts";
export type { Backoff, RetryBudget, RetryPolicy } from "./retry.ts";
export {
  type Bytes,
  type BytesSchema,
  bytes,
  type Issue,
  isBytesSchema,
  type Schema,
  type Validated,
  validate,
} from "./schema.ts";
export type {
  CallerInput,
  CallerOutput,
  ErrorCode,
  ErrorData,
  HandlerInput,
  HandlerOutput,
} from "./types.ts";
