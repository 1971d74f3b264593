// The first grant of a stream travels with its request (P-STREAM-3), in a frame of its own behind the options. Inside the
// options it could be mistaken for an option of the service. The frame starts with a mark that distinguishes it from other frames.

import { MAX_CREDIT } from "../../credit.ts";
import type { Frame, Frames } from "../../frame.ts";
import { readBytes, writeText } from "../../ids.ts";

const MARK = "credit=";
const MAX_DIGITS = 15;
const FIRST_GRANT = /^credit=([1-9][0-9]*)$/;

/** Whether the length allows a first grant: cheaper than a cache lookup. */
export function mayBeFirstGrant(frame: Frame | undefined): frame is Frame {
  return frame !== undefined && frame.length > MARK.length && frame.length <= MARK.length + MAX_DIGITS;
}

/** The chunks granted, at most `MAX_CREDIT`; `undefined` for any other frame. */
export function readFirstGrant(frame: Frame | undefined): number | undefined {
  if (!mayBeFirstGrant(frame)) return undefined;
  const [, digits] = FIRST_GRANT.exec(readBytes(frame)) ?? [];
  return digits === undefined ? undefined : Math.min(Number(digits), MAX_CREDIT);
}

export function writeFirstGrant(chunks: number): Frame {
  return writeText(`${MARK}${chunks}`);
}

/** The trailer without grants. Removes all of them, so that no second grant takes the place of the first. */
export function withoutFirstGrant(trailer: Frames): Frames {
  const [options] = trailer;
  if (options === undefined) return trailer;
  if (trailer.length === 2) return [options];
  return [options, ...trailer.slice(2).filter((frame) => readFirstGrant(frame) === undefined)];
}
