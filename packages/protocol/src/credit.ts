// Credit: how much a receiver allows the sender of a stream to send. The sender counts it down: chunks, of which a grant says how many
// (P-STREAM-1), and bytes, of which every grant restores the same number (P-STREAM-11).

import type { Frame } from "./frame.ts";

/** The cap on credit, which keeps every sum of grants a small integer. A stream with this much is not limited. */
export const MAX_CREDIT = 2_147_483_647;

/** P-STREAM-11: the credit in bytes of a stream at its start, and the most that it has. */
export const MAX_CREDIT_BYTES: number = 2 * 1024 * 1024;
/** The credit in bytes that each grant restores. After so many bytes, a receiver must grant again. */
export const GRANT_BYTES: number = MAX_CREDIT_BYTES / 2;

/** The credit after a grant of `chunks`. */
export function addCredit(credit: number, chunks: number): number {
  return Math.min(credit + chunks, MAX_CREDIT);
}

/** The credit in bytes after a grant. */
export function addCreditBytes(credit: number): number {
  return Math.min(credit + GRANT_BYTES, MAX_CREDIT_BYTES);
}

/** The credit in bytes after a chunk was sent. The last chunk may be larger than what is left. */
export function spendBytes(credit: number, bytes: number): number {
  return Math.max(0, credit - bytes);
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
