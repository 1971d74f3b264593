// The data set of the app: one CSV file of daily prices per ticker, read as a stream.

import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readPriceCsv } from "./price-csv.ts";
import { PriceError } from "./price-error.ts";
import type { PriceQuery } from "./price-query.ts";
import type { PriceRow } from "./price-row.ts";
import type { PriceSource } from "./price-source.ts";
import { resample, within } from "./resample.ts";

export interface EmbeddedOptions {
  /** The folder of the CSV files. @defaultValue the folder `data` of the app */
  readonly folder?: string | undefined;
  /** Limits the rows per second, so that one can watch the chart grow. @defaultValue Infinity */
  readonly rowsPerSecond?: number | undefined;
}

export class EmbeddedPrices implements PriceSource {
  /** The only paths that are opened, so that a ticker cannot name another file. */
  readonly #files: ReadonlyMap<string, string>;
  readonly #rowsPerSecond: number;

  constructor({ folder = join(import.meta.dirname, "../data"), rowsPerSecond = Infinity }: EmbeddedOptions = {}) {
    this.#files = new Map(
      readdirSync(folder)
        .filter((name) => name.endsWith(".csv"))
        .sort()
        .map((name) => [name.slice(0, -".csv".length), join(folder, name)]),
    );
    this.#rowsPerSecond = rowsPerSecond;
  }

  get tickers(): readonly string[] {
    return [...this.#files.keys()];
  }

  async *rows(query: PriceQuery, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const file = this.#files.get(query.ticker);
    if (file === undefined) {
      const known = this.tickers.join(", ");
      throw new PriceError(
        "UNKNOWN_TICKER",
        `There are no prices for ${query.ticker}. The sample tickers are ${known}.`,
      );
    }
    const days = within(readPriceCsv(createReadStream(file, { signal })), query);
    yield* this.#paced(resample(days, query.freq), signal);
  }

  async *#paced(rows: AsyncIterable<PriceRow>, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const begin = performance.now();
    let count = 0;
    for await (const row of rows) {
      signal.throwIfAborted();
      const dueMs = (count++ / this.#rowsPerSecond) * 1000 - (performance.now() - begin);
      // Timers are coarse: rows that are due within a few milliseconds are yielded together.
      if (dueMs > 4) await sleep(dueMs, undefined, { signal });
      yield row;
    }
  }
}
