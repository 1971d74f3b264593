// The handlers of the contract. Uploads are read before the source, so an upload replaces the prices of a ticker.

import type { Handlers } from "@pigato/service";
import { type stocks, Ticker } from "./contract.ts";
import { InvalidCsv } from "./price-csv.ts";
import type { PriceFiles } from "./price-files.ts";
import { type PriceSource, SourceFailed, UnknownTicker } from "./price-source.ts";

export interface StockData {
  readonly source: PriceSource;
  readonly uploads: PriceFiles;
}

/** @param log gets one line for the start and one for the end of each stream */
export function stockHandlers({ source, uploads }: StockData, log: (line: string) => void): Handlers<typeof stocks> {
  const tickers = async (): Promise<string[]> => [
    ...new Set([...(await source.tickers()), ...(await uploads.tickers())]),
  ];
  return {
    tickers,

    async *prices(query, ctx) {
      const { ticker, start, end, freq } = query;
      log(`${ticker}: requested ${start} to ${end}, ${freq}`);
      let sent = 0;
      // The caller may leave while a row waits for it: then only `finally` runs.
      let outcome = "canceled after";
      try {
        const from = (await uploads.tickers()).includes(ticker) ? uploads : source;
        for await (const row of from.rows(query, ctx.signal)) {
          sent += 1;
          yield row;
        }
        outcome = "sent";
      } catch (error) {
        if (!ctx.signal.aborted) outcome = `failed (${messageOf(error)}) after`;
        if (error instanceof UnknownTicker) ctx.fail("UNKNOWN_TICKER", { ticker, known: await tickers() });
        if (error instanceof SourceFailed) ctx.fail("SOURCE_FAILED", { reason: error.message });
        throw error;
      } finally {
        log(`${ticker}: ${outcome} ${sent} rows`);
      }
    },

    async load(chunks, ctx) {
      const { data: ticker, error } = Ticker.safeParse(ctx.headers.get("ticker"));
      if (ticker === undefined) return ctx.fail("INVALID_UPLOAD", { reason: error.issues[0]?.message ?? "" });
      log(`${ticker}: upload`);
      try {
        const rows = await uploads.save(ticker, chunks);
        log(`${ticker}: loaded ${rows} rows`);
        return { ticker, rows };
      } catch (cause) {
        log(`${ticker}: upload failed: ${messageOf(cause)}`);
        if (!(cause instanceof InvalidCsv)) throw cause;
        return ctx.fail("INVALID_UPLOAD", { reason: `The prices were not loaded: ${cause.message}.` });
      }
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
