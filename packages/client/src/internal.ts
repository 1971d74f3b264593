// For the classic package `pigato` alone. No semver promise: any release may change it.

export { CLASSIC_OPTIONS } from "./call-options.ts";
