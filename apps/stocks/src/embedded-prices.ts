// The data set that ships with the app: one CSV file of daily prices per ticker, read as it streams out.

import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ask } from "./ask.ts";
import { readPriceCsv } from "./price-csv.ts";
import { PriceError } from "./price-error.ts";
import type { PriceRow } from "./price-row.ts";
import type { PriceSource } from "./price-source.ts";
import { resample, within } from "./resample.ts";

export interface EmbeddedOptions {
  /** The folder of the CSV files. @defaultValue the app's `data` */
  readonly folder?: string | undefined;
  /** Rows given per second, for those who want to watch; `Infinity` is as fast as can be. @defaultValue Infinity */
  readonly rowsPerSecond?: number | undefined;
}

export class EmbeddedPrices implements PriceSource {
  /** The only paths that are ever opened, so that no ticker can name another file. */
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

  async *rows(ask: Ask, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const file = this.#files.get(ask.ticker);
    if (file === undefined) {
      const known = this.tickers.join(", ");
      throw new PriceError("UNKNOWN_TICKER", `There are no prices for ${ask.ticker}. The sample tickers are ${known}.`);
    }
    const days = within(readPriceCsv(createReadStream(file, { signal })), ask);
    yield* this.#paced(resample(days, ask.freq), signal);
  }

  async *#paced(rows: AsyncIterable<PriceRow>, signal: AbortSignal): AsyncGenerator<PriceRow> {
    const begin = performance.now();
    let count = 0;
    for await (const row of rows) {
      signal.throwIfAborted();
      const dueMs = (count++ / this.#rowsPerSecond) * 1000 - (performance.now() - begin);
      // Timers are coarse: rows that are due within the same few milliseconds go out together.
      if (dueMs > 4) await sleep(dueMs, undefined, { signal });
      yield row;
    }
  }
}
