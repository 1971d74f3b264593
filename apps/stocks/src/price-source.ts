// Where prices come from: the data set in data/ or an address on the web. A source gives rows one by one, oldest first,
// and reads on only when the next row is asked for, so that whoever asks sets the pace.

import type { Ask } from "./ask.ts";
import type { PriceRow } from "./price-row.ts";

export interface PriceSource {
  /**
   * The rows from `start` to `end`, at most `MAX_ROWS` of them. None is an answer too.
   * @throws PriceError while iterating; and the signal's reason once it has aborted
   */
  rows(ask: Ask, signal: AbortSignal): AsyncIterable<PriceRow>;
}

/** Rows that a source reads for one request; further ones end it with `TOO_MANY_ROWS`. Two centuries of days fit. */
export const MAX_ROWS = 60_000;
