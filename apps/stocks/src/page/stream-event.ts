// What the web front sends to the page: one of these per line, as JSON. The last one is an `end` or an `error`; a stream
// that stops without either was cut off.

export type StreamEvent =
  | { readonly type: "row"; readonly date: string; readonly close: number; readonly volume: number }
  | { readonly type: "end" }
  /** A sentence for people. */
  | { readonly type: "error"; readonly message: string };
