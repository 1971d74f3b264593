// Describes failures in sentences for the user.

import { RequestError } from "@pigato/client";
import { PriceError } from "./price-error.ts";

/** The sentence never contains a stack trace, an address or a code. An unknown error gets a general sentence. */
export function describeFailure(error: unknown): string {
  if (error instanceof PriceError) return error.message;
  if (!(error instanceof RequestError)) return "The price service sent an invalid response.";
  switch (error.code) {
    case "UNAVAILABLE":
      return "No price service is running right now. Please try again in a moment.";
    case "BUSY":
      return "Too many charts are being drawn right now. Please try again in a moment.";
    case "DEADLINE_EXCEEDED":
      return "The price service did not answer in time. Please try again.";
    case "WORKER_LOST":
      return "The price service stopped while it was working. Please try again.";
    case "BROKER_LOST":
    case "CLOSED":
      return "The connection to the price service was lost. Please try again.";
    case "REJECTED":
      return "The price service rejected the request. Please try again later.";
    case "WORKER_FAILED":
      return messageOf(error.detail) ?? "The price service failed. Please try again later.";
    case "CANCELED":
      return "Canceled.";
    case "INVALID":
    case "INVALID_ARGUMENT":
    case "UNIMPLEMENTED":
      return "The request to the price service was invalid.";
    default:
      return error.code satisfies never;
  }
}

/** Only the messages of a PriceError are written for users. */
function messageOf(detail: unknown): string | undefined {
  if (typeof detail !== "object" || detail === null) return undefined;
  if (!("name" in detail) || detail.name !== "PriceError") return undefined;
  return "message" in detail && typeof detail.message === "string" ? detail.message : undefined;
}
