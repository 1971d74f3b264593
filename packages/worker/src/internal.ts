// What the packages of this repository that serve requests share with the worker. No semver promise: any minor release may change it.

export { DIALECTS, readRequest } from "./dialect.ts";
export { Driver, type DriverEvents } from "./driver.ts";
export { resolveOptions, WorkerSchema, type WorkerSettings } from "./options.ts";
export { Reply } from "./reply.ts";
export type { ServiceEffect, WorkerRequest } from "./session/effects.ts";
export { writeChunks } from "./write-chunks.ts";
