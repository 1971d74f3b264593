// Credit: how many chunks a receiver allows the sender of a stream to send (P-STREAM-1). The sender counts it down.

import type { Frame } from "./frame.ts";
import { readBytes } from "./ids.ts";

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

/** A grant that is no positive integer grants nothing; one above the cap grants the cap. */
export function creditFromWire(frame: Frame | undefined): number {
  const chunks = frame === undefined || frame.length > 15 ? 0 : Number(readBytes(frame));
  return Number.isSafeInteger(chunks) && chunks > 0 ? Math.min(chunks, MAX_CREDIT) : 0;
}
