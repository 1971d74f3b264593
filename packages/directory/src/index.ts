export { RequestError, type ServiceMap, UsageError } from "@pigato/protocol";
export { Directory, type DirectoryOptions } from "./directory.ts";
