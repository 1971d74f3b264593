// Prices in a folder, one CSV file of daily prices per ticker, read as a stream: the data set of the app, and what users upload.

import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { PriceQuery, PriceRow } from "./contract.ts";
import { InvalidCsv, PRICE_CSV_HEAD, readPriceCsv, writePriceCsv } from "./price-csv.ts";
import { type PriceSource, selectRows, UnknownTicker } from "./price-source.ts";

const SUFFIX = ".csv";

export interface PriceFilesOptions {
  /** Limits the rows per second, so that one can watch the chart grow. @defaultValue Infinity */
  readonly rowsPerSecond?: number | undefined;
  /** The most files that uploads may add to the folder. @defaultValue 100 */
  readonly maxTickers?: number | undefined;
}

export class PriceFiles implements PriceSource {
  readonly #folder: string;
  readonly #rowsPerSecond: number;
  readonly #maxTickers: number;

  /** @param folder need not exist before the first upload */
  constructor(folder: string, { rowsPerSecond = Infinity, maxTickers = 100 }: PriceFilesOptions = {}) {
    this.#folder = folder;
    this.#rowsPerSecond = rowsPerSecond;
    this.#maxTickers = maxTickers;
  }

  /** Read each time, because other workers may share the folder. */
  async tickers(): Promise<readonly string[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .sort();
  }

  async *rows(query: PriceQuery, signal: AbortSignal): AsyncGenerator<PriceRow> {
    // Of the names in the folder, so that a ticker cannot name another file.
    if (!(await this.tickers()).includes(query.ticker)) throw new UnknownTicker(query.ticker);
    const rows = selectRows(createReadStream(this.#pathOf(query.ticker), { signal }), query);
    yield* this.#paced(rows, signal);
  }

  /**
   * Replaces the prices of a ticker, once all of them have arrived and are valid.
   * @param ticker as the contract allows it
   * @returns the number of rows
   * @throws InvalidCsv
   */
  async save(ticker: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
    await mkdir(this.#folder, { recursive: true });
    const tickers = await this.tickers();
    if (tickers.length >= this.#maxTickers && !tickers.includes(ticker))
      throw new InvalidCsv(`there are uploads for ${this.#maxTickers} tickers already`);
    const temporary = await mkdtemp(join(this.#folder, "upload-"));
    try {
      const file = join(temporary, "prices");
      let rows = 0;
      async function* lines(): AsyncGenerator<string> {
        yield PRICE_CSV_HEAD;
        for await (const row of readPriceCsv(Readable.from(bytes, { objectMode: false }))) {
          rows += 1;
          yield writePriceCsv(row);
        }
      }
      await pipeline(lines, createWriteStream(file));
      if (rows === 0) throw new InvalidCsv("there are no rows with a price");
      await rename(file, this.#pathOf(ticker));
      return rows;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  #pathOf(ticker: string): string {
    return join(this.#folder, `${ticker}${SUFFIX}`);
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
