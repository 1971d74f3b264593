// The requests that have no end yet: by id, by whether they still wait for a link, and by when their time is up. A call
// is in this table from being accepted to its end, and in one of two places: waiting, or sent in this life of the
// connection. What becomes of a call is decided by the session.

import {
  type Deadline,
  Deadlines,
  type Delivery,
  type FromClient,
  type Instant,
  type RequestId,
} from "@pigato/protocol";
import type { Notice } from "./effects.ts";

export type RequestMessage = Extract<FromClient, { readonly type: "request" }>;

export class Call<Caller> {
  readonly message: RequestMessage;
  /** Who is told. The session hands it back and knows nothing of it. */
  readonly caller: Caller;
  readonly deadline: Deadline<Call<Caller>>;
  /** Times it was handed to a link that was up. */
  sends = 0;
  /** Times a link gave it back because it had not left. */
  returns = 0;
  /** When it was last handed to a link. */
  sentAt: Instant = Number.POSITIVE_INFINITY;
  /** What its broker said last of how far it has come, since it was last sent. */
  notice: Notice | undefined;
  hasPartial = false;
  /** Whether its own time is up and only the broker's word on that is awaited. */
  isInGrace = false;

  constructor(message: RequestMessage, caller: Caller, deadlines: Deadlines<Call<Caller>>) {
    this.message = message;
    this.caller = caller;
    this.deadline = deadlines.entry(this);
  }

  /** What can be said of its delivery from this side alone: a broker that got it may have passed it on at any time. */
  get delivery(): Delivery {
    return this.sends > this.returns ? "maybe-executed" : "not-sent";
  }
}

export class Calls<Caller> {
  readonly #open = new Map<RequestId, Call<Caller>>();
  readonly #waiting = new Set<Call<Caller>>();
  readonly #deadlines = new Deadlines<Call<Caller>>();
  #turn = 0;
  /** Goes on where it stopped: to start over would be to pass by all that has been taken out. */
  readonly #line: Iterator<Call<Caller>, undefined> = this.#waiting.values();

  get size(): number {
    return this.#open.size;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get(id: RequestId): Call<Caller> | undefined {
    return this.#open.get(id);
  }

  /** All of them, oldest first. Calls may be ended and moved meanwhile. */
  all(): IterableIterator<Call<Caller>> {
    return this.#open.values();
  }

  add(message: RequestMessage, caller: Caller): Call<Caller> {
    const call = new Call(message, caller, this.#deadlines);
    this.#open.set(message.requestId, call);
    return call;
  }

  end(call: Call<Caller>): void {
    this.#open.delete(call.message.requestId);
    this.#waiting.delete(call);
    this.#deadlines.clear(call.deadline);
  }

  isWaiting(call: Call<Caller>): boolean {
    return this.#waiting.has(call);
  }

  keepWaiting(call: Call<Caller>): void {
    this.#waiting.add(call);
  }

  /** Takes out everything that waits, in order. */
  takeWaiting(): readonly Call<Caller>[] {
    const calls = [...this.#waiting];
    this.#waiting.clear();
    return calls;
  }

  /** Takes out the one that waits longest. Not to be mixed with `takeWaiting`. */
  takeNextWaiting(): Call<Caller> | undefined {
    // An iterator that has seen the end never comes back from there.
    if (this.#waiting.size === 0) return undefined;
    const { value: call } = this.#line.next();
    if (call !== undefined) this.#waiting.delete(call);
    return call;
  }

  /** Up to `most` of the calls that were sent before an instant; where there are more, they take turns. */
  sentBefore(instant: Instant, most: number): readonly Call<Caller>[] {
    const sent: Call<Caller>[] = [];
    for (const call of this.#open.values()) {
      if (call.sentAt <= instant && !this.#waiting.has(call)) sent.push(call);
    }
    if (sent.length <= most) return sent;
    const first = this.#turn % sent.length;
    this.#turn = first + most;
    return [...sent.slice(first), ...sent.slice(0, first)].slice(0, most);
  }

  /** Makes the call due `durationMs` from now, whatever it was before. `Infinity` is never. */
  setTimer(call: Call<Caller>, durationMs: number, now: Instant): void {
    this.#deadlines.set(call.deadline, durationMs, now);
  }

  /** Takes out the timer of one call that is due; the call itself stays. `undefined`: none is. */
  takeDue(now: Instant): Call<Caller> | undefined {
    return this.#deadlines.takeDue(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#deadlines.next();
  }
}
