// The bytes of butler 0.3.0. Messages of clients start with an empty frame and `version:id`. Messages of workers start with
// one byte and have no header, so a listener reads them only if it is set to butler.

import type { Frame } from "../../frame.ts";
import { readBytes, writeBytes } from "../../ids.ts";

export const READY = 0x01;
export const HEARTBEAT = 0x02;
export const REPLY = 0x04;

export const HEARTBEAT_FRAME: Frame = Uint8Array.of(HEARTBEAT);
/** Asks a worker to register again. */
export const RECONNECT_FRAME: Frame = Uint8Array.of(0x03);

/** Frames of a client's request. */
export const REQUEST_FRAMES = 5;
/** Prefix of the id of a request from a client of another dialect. */
export const VERSION_PREFIX = "0.3.0:";
/** Prefix of a service name that asks whether the service has a worker. */
export const MMI_PREFIX = "mmi.";
export const NOT_FOUND: Frame = writeBytes("404");
/** Prefix of the JSON of a handler's error. */
export const EXCEPTION_PREFIX = "500:exception:";

const VERSIONED_ID = /^\d{1,9}\.\d{1,9}\.\d{1,9}:/;

export function isVersionedId(frame: Frame | undefined): boolean {
  return frame !== undefined && frame.length <= 255 && VERSIONED_ID.test(readBytes(frame));
}
