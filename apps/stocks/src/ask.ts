// What a client may ask for. The worker and the web front both check it here.

import { z } from "zod";
import { PriceError } from "./price-error.ts";

/** One row per trading day, per week or per month. */
export type Frequency = "d" | "w" | "m";

export interface Ask {
  /** In capitals, 1 to 12 characters. */
  readonly ticker: string;
  /** The first day, as `2024-01-31`. */
  readonly start: string;
  /** The last day, not before the first. */
  readonly end: string;
  readonly freq: Frequency;
}

const day = (name: string) => z.iso.date(`The ${name} must be a date such as 2024-01-31.`);

const ASK = z
  .object(
    {
      ticker: z
        .string("A ticker is needed.")
        .trim()
        .toUpperCase()
        .min(1, "A ticker is needed.")
        .regex(/^[A-Z0-9^][A-Z0-9.=-]{0,11}$/, "A ticker is 1 to 12 letters, digits, dots or dashes, such as ACME."),
      start: day("start"),
      end: day("end"),
      freq: z.enum(["d", "w", "m"], "The frequency must be d, w or m: daily, weekly or monthly.").default("d"),
    },
    "Ask with an object { ticker, start, end, freq }.",
  )
  .refine(({ start, end }) => start <= end, "The start must not be after the end.");

/** @throws PriceError `BAD_ASK` with a sentence for whoever asked */
export function parseAsk(data: unknown): Ask {
  const result = ASK.safeParse(data);
  if (result.success) return result.data;
  throw new PriceError("BAD_ASK", result.error.issues[0]?.message ?? "This cannot be asked for.");
}
