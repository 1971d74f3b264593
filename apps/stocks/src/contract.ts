// The contract of the service: worker, web server and terminal programs share it, with its types and its rules.

import { bytes, clientStream, serverStream, service, unary } from "@pigato/contract";
import { z } from "zod";

const day = (name: string) => z.iso.date(`The ${name} must be a date such as 2024-01-31.`);

export const Ticker = z
  .string("Enter a ticker.")
  .trim()
  .toUpperCase()
  .min(1, "Enter a ticker.")
  .regex(/^[A-Z0-9^][A-Z0-9.=-]{0,11}$/, "A ticker has 1 to 12 letters, digits, dots or dashes, such as ACME.");

export const PriceQuery = z
  .object(
    {
      ticker: Ticker,
      /** The first day. */
      start: day("start"),
      /** The last day. */
      end: day("end"),
      /** One row per trading day, per week or per month. */
      freq: z.enum(["d", "w", "m"], "The frequency must be d, w or m: daily, weekly or monthly.").default("d"),
    },
    "Send an object { ticker, start, end, freq }.",
  )
  .refine(({ start, end }) => start <= end, "The start must not be after the end.");
export type PriceQuery = z.output<typeof PriceQuery>;
export type Frequency = PriceQuery["freq"];

const PriceRow = z.object({
  /** The trading day, as `2024-01-31`; for a week or a month, the first one. */
  date: z.iso.date(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  /** Shares traded; 0 if unknown. */
  volume: z.number(),
});
export type PriceRow = z.output<typeof PriceRow>;

/** A sentence for the user. It contains no addresses and no keys. */
const Reason = z.object({ reason: z.string() });

export const stocks = service("stocks", {
  /** All tickers with prices. A source on the web lists none. */
  tickers: unary({ output: z.array(z.string()), idempotent: true }),
  /** The rows from `start` to `end`, oldest first. */
  prices: serverStream({
    input: PriceQuery,
    chunk: PriceRow,
    errors: { UNKNOWN_TICKER: z.object({ ticker: z.string(), known: z.array(z.string()) }), SOURCE_FAILED: Reason },
    idempotent: true,
  }),
  /** Takes the bytes of a CSV file as the prices of the ticker that the header `ticker` names, in place of those it had. */
  load: clientStream({
    chunk: bytes(),
    output: z.object({ ticker: z.string(), rows: z.number() }),
    errors: { INVALID_UPLOAD: Reason },
  }),
});
