// The events that the web server streams to the page, one per line, as JSON. The last one is an `end` or an `error`; a stream
// without either was cut off.

export type StreamEvent =
  | { readonly type: "row"; readonly date: string; readonly close: number; readonly volume: number }
  | { readonly type: "end" }
  /** A sentence for the user. */
  | { readonly type: "error"; readonly message: string };
