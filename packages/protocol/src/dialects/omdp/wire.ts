// The bytes of zmq-omdp 0.0.92: the tags and types of PIGATO, which descends from it, in other layouts. Their first
// messages are the same, so the dialect is a setting of a listener.

import type { Frame } from "../../frame.ts";
import { writeText } from "../../ids.ts";

export const CLIENT: Frame = writeText("C");
export const WORKER: Frame = writeText("W");

export const STATUS_OK: Frame = writeText("0");

/** The message types of both roles. */
export const TYPE = { READY: 1, REQUEST: 2, REPLY: 3, HEARTBEAT: 4, DISCONNECT: 5, PARTIAL: 6 } as const;

const TYPES: readonly Frame[] = [0, 1, 2, 3, 4, 5, 6].map((type) => writeText(String(type)));
const NO_TYPE: Frame = writeText("");

export function typeFrame(type: number): Frame {
  return TYPES[type] ?? NO_TYPE;
}

/** The number in a type frame; 0 for any other frame. */
export function readType(frame: Frame | undefined): number {
  const digit = frame?.length === 1 ? (frame[0] ?? 0) - 0x30 : 0;
  return digit >= 1 && digit <= 6 ? digit : 0;
}
