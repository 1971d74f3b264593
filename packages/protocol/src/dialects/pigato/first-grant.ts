// The first grant of a stream travels with its request (P-STREAM-3), in a frame of its own: among the options it could be
// mistaken for one that a caller means for its service. The frame says what it is, so that it can be told from any other
// that stands behind the options.

import { MAX_CREDIT } from "../../credit.ts";
import type { Frame } from "../../frame.ts";
import { readBytes, writeText } from "../../ids.ts";

const MARK = "credit=";
const MAX_DIGITS = 15;

/** @returns `undefined` of any other frame, so also of a grant of nothing */
export function readFirstGrant(frame: Frame | undefined): number | undefined {
  if (frame === undefined || frame.length <= MARK.length || frame.length > MARK.length + MAX_DIGITS) return undefined;
  const text = readBytes(frame);
  return text.startsWith(MARK) ? positiveInteger(text.slice(MARK.length)) : undefined;
}

export function writeFirstGrant(chunks: number): Frame {
  return writeText(`${MARK}${chunks}`);
}

/** The options and what is behind them, without the grant in between; no second one may take its place. */
export function withoutFirstGrant([options, , ...others]: readonly Frame[]): readonly Frame[] {
  const rest = others.filter((frame) => readFirstGrant(frame) === undefined);
  return options === undefined ? rest : [options, ...rest];
}

/** At most `MAX_CREDIT`. */
function positiveInteger(digits: string): number | undefined {
  return /^[1-9][0-9]*$/.test(digits) ? Math.min(Number(digits), MAX_CREDIT) : undefined;
}
