// What can go wrong with prices, told so that the person who asked can read it.

export type PriceErrorCode =
  | "BAD_ASK" // what was asked for makes no sense
  | "UNKNOWN_TICKER" // the source has no such ticker
  | "SOURCE_FAILED" // the source is down, slow, broken or sends no prices
  | "TOO_MANY_ROWS";

/** Its message is written for the person who asked: it may be shown as it is, and holds no addresses and no keys. */
export class PriceError extends Error {
  override readonly name = "PriceError";
  readonly code: PriceErrorCode;

  constructor(code: PriceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
