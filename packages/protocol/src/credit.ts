// How much a receiver allows the sender of a stream to send (P-STREAM-1): chunks, counted down as they leave. A cap keeps
// every sum of grants a small integer, whatever peers say; as nobody counts that far, it also stands for "no limit".

/** The most credit there is. A stream that was granted it, at once or bit by bit, is not held back any more. */
export const MAX_CREDIT = 2_147_483_647;

/** Chunks that may be sent after a grant. */
export function addCredit(credit: number, chunks: number): number {
  return Math.min(credit + chunks, MAX_CREDIT);
}

/** Chunks that may be sent after one was. */
export function spendOne(credit: number): number {
  return credit === MAX_CREDIT ? credit : credit - 1;
}
