// The handler of the service `stock`. Every row is a partial; the final message is empty.

import { pipeline } from "node:stream/promises";
import type { RequestHandler } from "@pigato/worker";
import { parsePriceQuery } from "./price-query.ts";
import type { PriceRow } from "./price-row.ts";
import type { PriceSource } from "./price-source.ts";

/** @param log gets one line for the start and one for the end of each request */
export function stockHandler(source: PriceSource, log: (line: string) => void): RequestHandler {
  return async (data, reply) => {
    const { ticker, start, end, freq } = parsePriceQuery(data);
    const { signal } = reply;
    log(`${ticker}: requested ${start} to ${end}, ${freq}`);
    let sent = 0;
    async function* counted(): AsyncGenerator<PriceRow> {
      for await (const row of source.rows({ ticker, start, end, freq }, signal)) {
        sent++;
        yield row;
      }
    }
    try {
      // Handles back-pressure. A failure of the source becomes the failure of the request.
      await pipeline(counted, reply);
      log(`${ticker}: sent ${sent} rows`);
    } catch (error) {
      if (signal.aborted) log(`${ticker}: canceled after ${sent} rows`);
      else log(`${ticker}: failed after ${sent} rows: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}
