// Failures of price queries, with messages for the user.

export type PriceErrorCode =
  | "INVALID_QUERY" // the query is invalid
  | "UNKNOWN_TICKER" // the source does not know the ticker
  | "SOURCE_FAILED" // the source is down, slow or broken, or does not send prices
  | "TOO_MANY_ROWS";

/** The message is a sentence for the user. It contains no addresses and no keys. */
export class PriceError extends Error {
  override readonly name = "PriceError";
  readonly code: PriceErrorCode;

  constructor(code: PriceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
