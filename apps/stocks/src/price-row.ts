// One row of prices, as it travels from the worker to whoever asked.

import { z } from "zod";

export interface PriceRow {
  /** The trading day, as `2024-01-31`; of a week or a month, its first one. */
  readonly date: string;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Shares traded; 0 where the source does not say. */
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

/** What a worker sent, as a row. @throws Error if it is none */
export function parsePriceRow(data: unknown): PriceRow {
  return ROW.parse(data);
}
