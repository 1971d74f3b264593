// Node's timers and clock as they were when this file was loaded. Fake timers in a user's tests replace the originals, while sockets
// stay real: a link that waited for a fake timer would stop until the test advances the time.
//
// The originals come from Node's modules, because the globals may be fake already. Each is copied: in a CommonJS build, a named import
// reads the module at every call.

import { performance } from "node:perf_hooks";
import process from "node:process";
import timers from "node:timers";

export const setTimeout: typeof timers.setTimeout = timers.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = timers.clearTimeout;
export const setImmediate: typeof timers.setImmediate = timers.setImmediate;

/** Calls back at the end of the current operation, before any promise. */
export const nextTick: typeof process.nextTick = process.nextTick;
/** Calls back in the order of promises. */
export const queueMicrotask: typeof globalThis.queueMicrotask = globalThis.queueMicrotask;

/** Milliseconds of a monotonic clock with an arbitrary origin. */
export const monotonicNow: () => number = performance.now.bind(performance);

/** Milliseconds since 1970. */
export const wallClock: () => number = Date.now;
