// From many rows to the ones asked for: the days from start to end, and of these one row per week or month.

import type { Ask, Frequency } from "./ask.ts";
import type { PriceRow } from "./price-row.ts";

const DAY_MS = 86_400_000;

/** The rows from the ask's start to its end. Rows come oldest first, so the first one past the end ends the reading. */
export async function* within(rows: AsyncIterable<PriceRow>, { start, end }: Ask): AsyncGenerator<PriceRow> {
  for await (const row of rows) {
    if (row.date > end) return;
    if (row.date >= start) yield row;
  }
}

/** One row per period: its first day and open, its last close, its extremes, all its volume. Days pass as they are. */
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
