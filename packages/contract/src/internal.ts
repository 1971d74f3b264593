// What client, service and policies share beyond contracts. No semver promise: any minor release may change it.

export { afterFirst } from "./chunks.ts";
export { checkInterceptor, compose, InterceptorChain, type InterceptorOwner } from "./compose.ts";
export { checkMethodNames, shortName } from "./contract.ts";
export { describeMethod, HOST_METHODS, isServiceDescription } from "./description.ts";
export { DEADLINE_GRACE_MS, isStreamReply, replyOf, requestOf } from "./interceptor.ts";
export { inputSchemaOf, outputSchemaOf, returnsChunks, takesChunks } from "./method.ts";
export { type PolicyClock, readNumber, retryableBy, retryWith } from "./retry.ts";
