// What handlers wrote although nobody has granted it yet (P-STREAM-4). It waits here, in order, and leaves as it is granted;
// the end of a reply waits behind its parts and needs no grant. The bound is one for all requests of the worker: whoever
// waits for `drain`, as `reply.write()` asks, holds nothing.

import type { Call } from "./calls.ts";
import type { HandlerInput } from "./effects.ts";

/** A part, or the end. */
export type HeldInput = Extract<HandlerInput, { readonly type: "partial" | "final" }>;

interface HeldPart {
  readonly input: HeldInput;
  readonly bytes: number;
  next: HeldPart | undefined;
}

/** What one request holds: a chain, oldest first. */
export interface Held {
  first: HeldPart;
  last: HeldPart;
}

/** What a part costs besides its frames. */
const OVERHEAD_BYTES = 256;

export class HeldParts {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** @returns whether there was room. For the end of a reply there always is. */
  hold(input: HeldInput): boolean {
    const bytes = bytesOf(input);
    if (input.type === "partial" && this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    const part: HeldPart = { input, bytes, next: undefined };
    const { call } = input;
    if (call.held === undefined) {
      call.held = { first: part, last: part };
    } else {
      call.held.last.next = part;
      call.held.last = part;
    }
    return true;
  }

  /** Takes out what may leave next, if anything may. */
  take(call: Call): HeldInput | undefined {
    if (!mayLeave(call) || call.held === undefined) return undefined;
    const { first } = call.held;
    this.#bytes -= first.bytes;
    if (first.next === undefined) call.held = undefined;
    else call.held.first = first.next;
    return first.input;
  }

  /** Nobody wants it any more. */
  drop(call: Call): void {
    for (let part = call.held?.first; part !== undefined; part = part.next) this.#bytes -= part.bytes;
    call.held = undefined;
  }
}

/** Whether the request holds something that may leave now. */
export function mayLeave({ isInFlight, held, credit }: Call): boolean {
  return isInFlight && held !== undefined && (credit > 0 || held.first.input.type === "final");
}

function bytesOf({ body, options }: HeldInput): number {
  let bytes = OVERHEAD_BYTES + options.length;
  for (const frame of body) bytes += frame.length;
  return bytes;
}
