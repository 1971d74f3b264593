// A source of prices: the data set in data/ or an address on the web. A source yields rows one by one, oldest first, and reads on
// only when the consumer takes the next row.

import type { PriceQuery } from "./price-query.ts";
import type { PriceRow } from "./price-row.ts";

export interface PriceSource {
  /**
   * The rows from `start` to `end`, at most `MAX_ROWS`, possibly none.
   * @throws PriceError, or the reason of the signal once it has aborted, while iterating
   */
  rows(query: PriceQuery, signal: AbortSignal): AsyncIterable<PriceRow>;
}

/** Maximum number of rows per request, about two centuries of days; one more ends it with `TOO_MANY_ROWS`. */
export const MAX_ROWS = 60_000;
