// One row of prices, as the worker sends it to the client.

import { z } from "zod";

export interface PriceRow {
  /** The trading day, as `2024-01-31`; for a week or a month, the first one. */
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Shares traded; 0 if unknown. */
  readonly volume: number;
}

const ROW = z.object({
  date: z.iso.date(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
});

/** @throws Error if the data is not a row */
export function parsePriceRow(data: unknown): PriceRow {
  return ROW.parse(data);
}
