// The service `stock`: what its worker does with a request. Every row is a partial reply; the end carries nothing.

import { pipeline } from "node:stream/promises";
import type { RequestHandler } from "@pigato/worker";
import { parseAsk } from "./ask.ts";
import type { PriceRow } from "./price-row.ts";
import type { PriceSource } from "./price-source.ts";

/** @param log is told what became of each request, in one line */
export function stockHandler(source: PriceSource, log: (line: string) => void): RequestHandler {
  return async (data, reply) => {
    const { ticker, start, end, freq } = parseAsk(data);
    const { signal } = reply;
    log(`${ticker}: asked for ${start} to ${end}, ${freq}`);
    let sent = 0;
    async function* counted(): AsyncGenerator<PriceRow> {
      for await (const row of source.rows({ ticker, start, end, freq }, signal)) {
        sent++;
        yield row;
      }
    }
    try {
      // Waits for `drain` whenever the connection asks for it. A failure of the source goes to the caller.
      await pipeline(counted, reply);
      log(`${ticker}: sent ${sent} rows`);
    } catch (error) {
      if (signal.aborted) log(`${ticker}: stopped after ${sent} rows, nobody waits for more`);
      else log(`${ticker}: failed after ${sent} rows: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
}
