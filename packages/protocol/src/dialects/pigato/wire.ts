// The bytes of the PIGATO dialect. Every frame is text; the type is one or two ASCII digits.

import { EMPTY, type Frame } from "../../frame.ts";
import { readBytes, type ServiceName, serviceName, writeText } from "../../ids.ts";

export const CLIENT_TAG = 0x43; // "C"
export const WORKER_TAG = 0x57; // "W"

export const TYPE = {
  READY: 1,
  REQUEST: 2,
  REPLY: 3,
  HEARTBEAT: 4,
  DISCONNECT: 5,
  PARTIAL: 6,
  REJECT: 7,
  CANCEL: 8,
  CREDIT: 9,
  INPUT: 10,
  INPUT_END: 11,
  NOTICE: 12,
  PARTIALS: 13,
  /** To a worker a request, from a worker a final reply, with a body of several frames. */
  FRAMES: 14,
  PARTIAL_FRAMES: 15,
} as const;

const HIGHEST_TYPE = 15;

/** The service of a request without a service name, as in the original. */
export const UNNAMED_SERVICE: ServiceName = serviceName("UNK");
/** The word before the id in a heartbeat for one request, and the word that the original's broker expects. */
export const REQUEST_WORDS: readonly string[] = ["request", "req"];
/** The word before the id in a heartbeat that a client sends for a worker in its process. */
export const WORKER_WORD = "worker";

export const CLIENT: Frame = writeText("C");
export const WORKER: Frame = writeText("W");
export const STATUS_OK: Frame = writeText("0");
export const STATUS_ERROR: Frame = writeText("-1");
export const NO_OPTIONS: Frame = writeText("{}");
/** The options of a failure that the broker made, for a client that negotiated `error`. */
export const BROKER_ORIGIN: Frame = writeText('{"origin":"broker"}');

const TYPES: readonly Frame[] = Array.from({ length: HIGHEST_TYPE + 1 }, (_, type) => writeText(String(type)));

export function typeFrame(type: number): Frame {
  return TYPES[type] ?? EMPTY;
}

/** The number in a type frame; 0 for any other frame. */
export function readType(frame: Frame | undefined): number {
  if (frame === undefined) return 0;
  const first = (frame[0] ?? 0) - 0x30;
  if (frame.length === 1) return first >= 1 && first <= 9 ? first : 0;
  if (frame.length !== 2 || first !== 1) return 0;
  const type = 10 + (frame[1] ?? 0) - 0x30;
  return type >= 10 && type <= HIGHEST_TYPE ? type : 0;
}

export function isTag(frame: Frame | undefined, tag: number): boolean {
  return frame !== undefined && frame.length === 1 && frame[0] === tag;
}

/** W 2|14 address … */
export function addressInRequest([tag, type, address]: readonly Frame[]): string | undefined {
  if (!isTag(tag, WORKER_TAG) || address === undefined) return undefined;
  const number = readType(type);
  return number === TYPE.REQUEST || number === TYPE.FRAMES ? readBytes(address) : undefined;
}
