// What went wrong, as a sentence for the person in front of the chart.

import { RequestError } from "@pigato/client";
import { PriceError } from "./price-error.ts";

/** Never a stack, an address or a code: whatever is not known here is told in general words. */
export function explain(error: unknown): string {
  if (error instanceof PriceError) return error.message;
  if (!(error instanceof RequestError)) return "The price service sent something that cannot be read.";
  switch (error.code) {
    case "UNAVAILABLE":
      return "No price service is running right now. Please try again in a moment.";
    case "BUSY":
      return "Too many charts are being drawn right now. Please try again in a moment.";
    case "DEADLINE_EXCEEDED":
      return "The price service has not been heard of for too long. Please try again.";
    case "WORKER_LOST":
      return "The price service stopped in the middle of its work. Please try again.";
    case "BROKER_LOST":
    case "CLOSED":
      return "The connection to the price service was lost. Please try again.";
    case "REJECTED":
      return "The price service declined to answer. Please try again later.";
    case "WORKER_FAILED":
      return messageOf(error.detail) ?? "The price service failed. Please try again later.";
    case "CANCELED":
      return "Canceled.";
    case "INVALID":
      return "The price service could not be understood.";
    default:
      return error.code satisfies never;
  }
}

/** Of the worker's errors, only a PriceError is written for people. */
function messageOf(detail: unknown): string | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  if (!("name" in detail) || detail.name !== "PriceError") return undefined;
  return "message" in detail && typeof detail.message === "string" ? detail.message : undefined;
}
