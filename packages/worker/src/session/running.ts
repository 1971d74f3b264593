// The requests that run, and what their handlers say about them: what leaves, what waits for a grant, what comes too late.
//
// What always holds:
// - A request runs from being taken until its final, its rejection, its `abort` or the end of the connection. Whatever a handler
//   says about it afterwards is dropped: one final each, and nothing of one connection ever reaches the broker through another
//   (P-DISC-2).
// - A reply that the link refuses never vanishes in silence: the request is failed.
// - A part that was not granted waits (P-STREAM-4), and so does all that its handler says after it.

import { addCredit, display, encodePayload, type Failure, MAX_CREDIT, NULL_FRAME, spendOne } from "@pigato/protocol";
import { type Call, Calls, type Named } from "./calls.ts";
import type { Effect, HandlerInput, WorkerRequest } from "./effects.ts";
import { HeldParts } from "./held-parts.ts";
import { failureOf, messageOf, send, sendUrgently } from "./outgoing.ts";

export interface RunningOptions {
  /** Bytes that handlers may have written beyond what was granted to them, of all requests. */
  readonly maxHeldBytes: number;
  /** Whether to offer the broker what goes beyond the classic wire. */
  readonly negotiate: boolean;
  /** From 0 up to 1. */
  readonly random: () => number;
}

type Effects = readonly Effect[];

const NOTHING: Effects = [];

/** Parts of a reply that leave in one step, of those that have waited for a grant. */
const FLUSHED_PARTS = 32;
const FLUSHED_BYTES = 64 * 1024;

export class Running {
  readonly #options: RunningOptions;
  readonly #calls: Calls;
  readonly #held: HeldParts;

  constructor(options: RunningOptions) {
    this.#options = options;
    this.#calls = new Calls(options.random);
    this.#held = new HeldParts(options.maxHeldBytes);
  }

  get size(): number {
    return this.#calls.size;
  }

  /**
   * Takes a request, if none of its name runs already.
   * @param isPaced whether its parts are to be granted (P-STREAM-3)
   */
  add(request: WorkerRequest, isPaced: boolean): Call | undefined {
    const call = this.#calls.add(request);
    if (call !== undefined && isPaced) call.credit = request.credit ?? MAX_CREDIT;
    return call;
  }

  find(named: Named): Call | undefined {
    return this.#calls.find(named);
  }

  /** Nothing more is to be said about it. */
  forget(call: Call): void {
    this.#calls.remove(call);
    this.#held.drop(call);
  }

  /** P-STREAM-4. One that has ended meanwhile has crossed it on the wire. */
  onCredit(named: Named & { readonly chunks: number }): Effects {
    const call = this.#calls.find(named);
    if (call === undefined || call.credit === MAX_CREDIT || named.chunks === 0) return NOTHING;
    call.credit = addCredit(call.credit, named.chunks);
    return [{ type: "resume", call }];
  }

  onHandler(input: HandlerInput): Effects {
    const { call } = input;
    if (!call.isInFlight) return NOTHING;
    if (input.type === "reject") return this.#end(input);
    if (input.type === "partial") {
      if (call.credit > 0 && call.held === undefined) return [this.#sendPart(input)];
    } else if (call.held === undefined) {
      return this.#end(input);
    }
    return this.#held.hold(input) ? NOTHING : this.#onTooMuchHeld(call);
  }

  /**
   * Sends some of what waits and has been granted: between two steps the shell looks whether the link takes more. The end of
   * a reply goes by itself.
   */
  onFlush(call: Call): Effects {
    if (call.held?.first.input.type === "final") {
      const end = this.#held.take(call);
      return end === undefined ? NOTHING : this.#end(end);
    }
    const effects: Effect[] = [];
    let bytes = 0;
    while (effects.length < FLUSHED_PARTS && bytes < FLUSHED_BYTES && call.held?.first.input.type === "partial") {
      bytes += call.held.first.bytes;
      const part = this.#held.take(call);
      if (part === undefined) break;
      effects.push(this.#sendPart(part));
    }
    return effects;
  }

  /** A reply with a hole in it is worse than none: the request is failed. */
  onRefusedPartial(named: Named): Effects {
    const call = this.#calls.find(named);
    if (call === undefined) return NOTHING;
    return this.#cutOff(call, `the link to the broker is full: request ${display(call.requestId)} cannot go on`);
  }

  /** Ends all of them, oldest first. */
  abortAll(failure: Failure): Effects {
    const calls = this.#calls.takeAll();
    for (const call of calls) this.#held.drop(call);
    return calls.map((call) => ({ type: "abort", call, failure }));
  }

  #sendPart(input: HandlerInput): Effect {
    const { call } = input;
    call.credit = spendOne(call.credit);
    return send(messageOf(input, this.#options.negotiate));
  }

  #end(input: HandlerInput): Effects {
    this.#calls.remove(input.call);
    return [send(messageOf(input, this.#options.negotiate))];
  }

  /** Its handler did not wait. What it wrote last cannot be left out, so nothing more of it is sent. */
  #onTooMuchHeld(call: Call): Effects {
    const { maxHeldBytes } = this.#options;
    const reason = `its reader takes no more, and more than the ${maxHeldBytes} bytes of maxHeldBytes wait here`;
    return this.#cutOff(call, `request ${display(call.requestId)} cannot go on: ${reason}`);
  }

  #cutOff(call: Call, reason: string): Effects {
    this.forget(call);
    const { address, requestId } = call;
    const failure = failureOf("BUSY", reason);
    const body = [encodePayload({ name: "RequestError", message: failure.message, code: failure.code }, NULL_FRAME)];
    return [
      sendUrgently({ type: "final", address, requestId, status: -1, body, trailer: [] }),
      { type: "abort", call, failure },
    ];
  }
}
