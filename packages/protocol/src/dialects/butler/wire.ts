// The bytes of butler 0.3.0. Clients begin with an empty frame and `version:id`; workers with one byte and no header at
// all, which is why they are read only on a bind that says so.

import type { Frame } from "../../frame.ts";
import { readBytes, writeBytes } from "../../ids.ts";

export const READY = 0x01;
export const HEARTBEAT = 0x02;
export const REPLY = 0x04;

export const HEARTBEAT_FRAME: Frame = Uint8Array.of(HEARTBEAT);
/** Tells a worker to register again. */
export const RECONNECT_FRAME: Frame = Uint8Array.of(0x03);

/** Frames of a client's request. */
export const REQUEST_FRAMES = 5;
/** Before the id of a request that did not come from a butler client. */
export const VERSION_PREFIX = "0.3.0:";
/** Asks whether a service has a worker. */
export const MMI_PREFIX = "mmi.";
export const NOT_FOUND: Frame = writeBytes("404");
/** Before the JSON of a handler's error. */
export const EXCEPTION_PREFIX = "500:exception:";

const VERSIONED_ID = /^\d{1,9}\.\d{1,9}\.\d{1,9}:/;

export function isVersionedId(frame: Frame | undefined): boolean {
  return frame !== undefined && frame.length <= 255 && VERSIONED_ID.test(readBytes(frame));
}
