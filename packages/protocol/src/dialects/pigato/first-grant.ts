// The first grant of a stream travels with its request (P-STREAM-3), in a frame of its own: among the options it could be
// mistaken for one that a caller means for its service. The frame says what it is, so that it can be told from any other
// that stands behind the options. Nearly all are the same, so they are written and read once.

import { MAX_CREDIT } from "../../credit.ts";
import type { Frame } from "../../frame.ts";
import { FrameMemo } from "../../frame-memo.ts";
import { readBytes, writeText } from "../../ids.ts";

const MARK = "credit=";
const MAX_DIGITS = 15;

const KNOWN = new FrameMemo(read);
/** The one that was written last. */
const WRITTEN = { chunks: 1, frame: writeText(`${MARK}1`) };

/** @returns `undefined` of any other frame, so also of a grant of nothing */
export function readFirstGrant(frame: Frame | undefined): number | undefined {
  if (frame === undefined || frame.length <= MARK.length || frame.length > MARK.length + MAX_DIGITS) return undefined;
  return KNOWN.read(frame);
}

export function writeFirstGrant(chunks: number): Frame {
  if (WRITTEN.chunks !== chunks) {
    WRITTEN.chunks = chunks;
    WRITTEN.frame = writeText(`${MARK}${chunks}`);
  }
  return WRITTEN.frame;
}

/** The options and what is behind them, without the grant in between; no second one may take its place. */
export function withoutFirstGrant(trailer: readonly Frame[]): readonly Frame[] {
  const [options] = trailer;
  if (options === undefined) return trailer;
  if (trailer.length === 2) return [options];
  return [options, ...trailer.slice(2).filter((frame) => readFirstGrant(frame) === undefined)];
}

/** At most `MAX_CREDIT`. */
function read(frame: Frame): number | undefined {
  const [, digits] = /^credit=([1-9][0-9]*)$/.exec(readBytes(frame)) ?? [];
  return digits === undefined ? undefined : Math.min(Number(digits), MAX_CREDIT);
}
