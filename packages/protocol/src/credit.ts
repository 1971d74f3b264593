// Credit: how many chunks a receiver allows the sender of a stream to send (P-STREAM-1). The sender counts it down.

import type { Frame } from "./frame.ts";

/** The cap on credit, which keeps every sum of grants a small integer. A stream with this much is not limited. */
export const MAX_CREDIT = 2_147_483_647;

/** The credit after a grant of `chunks`. */
export function addCredit(credit: number, chunks: number): number {
  return Math.min(credit + chunks, MAX_CREDIT);
}

/** The credit after one chunk was sent. */
export function spendOne(credit: number): number {
  return credit === MAX_CREDIT ? credit : credit - 1;
}

const MAX_DIGITS = 15;
const ZERO = 0x30;

/** A grant that is no positive integer in decimal digits grants nothing; one above the cap grants the cap. */
export function creditFromWire(frame: Frame | undefined): number {
  if (frame === undefined || frame.length > MAX_DIGITS) return 0;
  let chunks = 0;
  for (const byte of frame) {
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) return 0;
    chunks = chunks * 10 + digit;
  }
  return Math.min(chunks, MAX_CREDIT);
}
