// Reads the response of the web server line by line. Leaving the loop, or the signal, cancels the request.

import type { StreamEvent } from "./stream-event.ts";

const CUT_OFF = "The connection was cut off before all prices had arrived. Please try again.";
const NOT_REACHED = "The server cannot be reached. Please try again in a moment.";

/** Ends with an `end` or an `error` event, also if the connection is lost. After an abort it ends without an event. */
export async function* priceStream(query: URLSearchParams, signal: AbortSignal): AsyncGenerator<StreamEvent> {
  let reached = false;
  try {
    const response = await fetch(`/prices?${query}`, { signal });
    reached = true;
    for await (const line of linesOf(response)) {
      const event: StreamEvent = JSON.parse(line);
      yield event;
      if (event.type !== "row") return;
    }
    yield { type: "error", message: CUT_OFF };
  } catch {
    if (!signal.aborted) yield { type: "error", message: reached ? CUT_OFF : NOT_REACHED };
  }
}

async function* linesOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
