// A source of prices: the CSV files of a folder, or an address on the web. A source yields rows one by one, oldest first, and reads on
// only when the consumer takes the next row.

import type { Readable } from "node:stream";
import type { PriceQuery, PriceRow } from "./contract.ts";
import { InvalidCsv, readPriceCsv } from "./price-csv.ts";
import { resample, within } from "./resample.ts";

export interface PriceSource {
  /** The tickers that it has, as far as it knows. */
  tickers(): Promise<readonly string[]>;
  /**
   * The rows from `start` to `end`, possibly none.
   * @throws UnknownTicker or SourceFailed, or the reason of the signal once it has aborted, while iterating
   */
  rows(query: PriceQuery, signal: AbortSignal): AsyncIterable<PriceRow>;
}

export class UnknownTicker extends Error {
  constructor(ticker: string) {
    super(`there are no prices for ${ticker}`);
  }
}

/** A source is down, slow or broken, or does not send prices. The message is a sentence for the user, without addresses and keys. */
export class SourceFailed extends Error {}

/**
 * The rows of a CSV file that a query asks for.
 * @param isResampled whether the file already has one row per period of the query
 */
export async function* selectRows(file: Readable, query: PriceQuery, isResampled = false): AsyncGenerator<PriceRow> {
  try {
    const rows = within(readPriceCsv(file), query);
    yield* isResampled ? rows : resample(rows, query.freq);
  } catch (error) {
    if (!(error instanceof InvalidCsv)) throw error;
    throw new SourceFailed(`The data of the price source is invalid: ${error.message}.`, { cause: error });
  }
}
