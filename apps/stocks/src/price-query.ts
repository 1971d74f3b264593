// The query of a client. The worker and the web server both validate it here.

import { z } from "zod";
import { PriceError } from "./price-error.ts";

/** One row per trading day, per week or per month. */
export type Frequency = "d" | "w" | "m";

export interface PriceQuery {
  /** In capitals, 1 to 12 characters. */
  readonly ticker: string;
  /** The first day, as `2024-01-31`. */
  readonly start: string;
  /** The last day, not before the first. */
  readonly end: string;
  readonly freq: Frequency;
}

const day = (name: string) => z.iso.date(`The ${name} must be a date such as 2024-01-31.`);

const QUERY = z
  .object(
    {
      ticker: z
        .string("Enter a ticker.")
        .trim()
        .toUpperCase()
        .min(1, "Enter a ticker.")
        .regex(/^[A-Z0-9^][A-Z0-9.=-]{0,11}$/, "A ticker has 1 to 12 letters, digits, dots or dashes, such as ACME."),
      start: day("start"),
      end: day("end"),
      freq: z.enum(["d", "w", "m"], "The frequency must be d, w or m: daily, weekly or monthly.").default("d"),
    },
    "Send an object { ticker, start, end, freq }.",
  )
  .refine(({ start, end }) => start <= end, "The start must not be after the end.");

/** @throws PriceError `INVALID_QUERY` with a sentence for the user */
export function parsePriceQuery(data: unknown): PriceQuery {
  const result = QUERY.safeParse(data);
  if (result.success) return result.data;
  throw new PriceError("INVALID_QUERY", result.error.issues[0]?.message ?? "The query is invalid.");
}
