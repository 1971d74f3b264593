import type { RefusalCode } from "../link.ts";

/** What the other end of a connection did that ends it, as a value: nothing here is thrown. */
export interface Violation {
  readonly code: RefusalCode;
  readonly detail: string;
}
