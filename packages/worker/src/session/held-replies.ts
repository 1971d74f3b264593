// Partials that handlers wrote beyond their credit (P-STREAM-4), and the finals behind them. Each request's are a queue. The
// byte limit counts all requests of the worker together; a handler that waits for `drain`, as `reply.write()` asks, holds
// nothing.

import type { FinalInput, PartialInput } from "./effects.ts";
import type { InFlightRequest } from "./request-table.ts";

interface HeldReply {
  readonly input: PartialInput | FinalInput;
  readonly bytes: number;
  next: HeldReply | undefined;
}

/** What one request holds: a linked list, oldest first. */
export interface HeldReplies {
  first: HeldReply;
  last: HeldReply;
}

/** What a partial costs besides its frames. */
const OVERHEAD_BYTES = 256;

export class HeldReplyBuffer {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns whether there was room; for a final there always is */
  add(request: InFlightRequest, input: PartialInput | FinalInput): boolean {
    const bytes = bytesOf(input);
    if (input.type === "partial" && this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    const reply: HeldReply = { input, bytes, next: undefined };
    if (request.held === undefined) {
      request.held = { first: reply, last: reply };
    } else {
      request.held.last.next = reply;
      request.held.last = reply;
    }
    return true;
  }

  /** The first one, if it is a final, which needs no credit, or there is credit for it. */
  peek({ held, credit }: InFlightRequest): PartialInput | FinalInput | undefined {
    if (held === undefined) return undefined;
    return credit > 0 || held.first.input.type === "final" ? held.first.input : undefined;
  }

  /** Removes the first one. */
  shift(request: InFlightRequest): void {
    if (request.held === undefined) return;
    const { first } = request.held;
    this.#bytes -= first.bytes;
    if (first.next === undefined) request.held = undefined;
    else request.held.first = first.next;
  }

  drop(request: InFlightRequest): void {
    for (let reply = request.held?.first; reply !== undefined; reply = reply.next) this.#bytes -= reply.bytes;
    request.held = undefined;
  }
}

function bytesOf({ body, options }: PartialInput | FinalInput): number {
  let bytes = OVERHEAD_BYTES + options.length;
  for (const frame of body) bytes += frame.length;
  return bytes;
}
