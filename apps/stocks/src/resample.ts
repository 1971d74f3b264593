// Selects the days of a query, and combines them to weeks or months.

import type { Frequency, PriceQuery, PriceRow } from "./contract.ts";

const DAY_MS = 86_400_000;

/** The rows from the start to the end of the query. Rows come oldest first, so the first row after the end stops the reading. */
export async function* within(rows: AsyncIterable<PriceRow>, { start, end }: PriceQuery): AsyncGenerator<PriceRow> {
  for await (const row of rows) {
    if (row.date > end) return;
    if (row.date >= start) yield row;
  }
}

/** One row per period: first day and open, last close, extremes, total volume. Days pass unchanged. */
export async function* resample(rows: AsyncIterable<PriceRow>, freq: Frequency): AsyncGenerator<PriceRow> {
  if (freq === "d") return yield* rows;
  let sum: PriceRow | undefined;
  for await (const row of rows) {
    if (sum !== undefined && periodOf(sum.date, freq) === periodOf(row.date, freq)) {
      sum = merge(sum, row);
    } else {
      if (sum !== undefined) yield sum;
      sum = row;
    }
  }
  if (sum !== undefined) yield sum;
}

function merge(sum: PriceRow, row: PriceRow): PriceRow {
  return {
    date: sum.date,
    open: sum.open,
    high: Math.max(sum.high, row.high),
    low: Math.min(sum.low, row.low),
    close: row.close,
    volume: sum.volume + row.volume,
  };
}

function periodOf(date: string, freq: "w" | "m"): string | number {
  switch (freq) {
    case "m":
      return date.slice(0, 7);
    case "w":
      // Days since 1970 began on a Thursday; weeks begin on Mondays.
      return Math.floor((Date.parse(`${date}T00:00:00Z`) / DAY_MS + 3) / 7);
    default:
      return freq satisfies never;
  }
}
