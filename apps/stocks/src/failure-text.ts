// Describes failures in sentences for the user.

import { type FailureCode, RequestError } from "@pigato/client";
import { isError } from "@pigato/contract";
import { ZodError } from "zod";
import { stocks } from "./contract.ts";

const SENTENCES: Readonly<Record<FailureCode, string>> = {
  UNAVAILABLE: "No price service is running right now. Please try again in a moment.",
  BUSY: "Too many charts are being drawn right now. Please try again in a moment.",
  DEADLINE_EXCEEDED: "The price service did not answer in time. Please try again.",
  WORKER_LOST: "The price service stopped while it was working. Please try again.",
  BROKER_LOST: "The connection to the price service was lost. Please try again.",
  CLOSED: "The connection to the price service was lost. Please try again.",
  REJECTED: "The price service rejected the request. Please try again later.",
  WORKER_FAILED: "The price service failed. Please try again later.",
  CANCELED: "Canceled.",
  INVALID: "The price service sent an invalid response.",
  INVALID_ARGUMENT: "The request to the price service was invalid.",
  UNIMPLEMENTED: "The request to the price service was invalid.",
};

/** The sentence never contains a stack trace, an address or a code. An unknown error gets a general sentence. */
export function describeFailure(error: unknown): string {
  if (isError(error, stocks.prices, "UNKNOWN_TICKER")) {
    const { ticker, known } = error.detail;
    return `There are no prices for ${ticker}.${known.length > 0 ? ` There are prices for ${known.join(", ")}.` : ""}`;
  }
  if (isError(error, stocks.prices, "SOURCE_FAILED") || isError(error, stocks.load)) return error.detail.reason;
  if (error instanceof ZodError) return error.issues[0]?.message ?? SENTENCES.INVALID_ARGUMENT;
  return error instanceof RequestError ? SENTENCES[error.code] : "The program failed.";
}
