// The requests that have no end yet: by id, by whether they still wait for a link, and by when their time is up. A call
// is in this table from being accepted to its end, and in one of two places: waiting, or sent in this life of the
// connection. What becomes of a call is decided by the session.

import {
  type Deadline,
  Deadlines,
  type Delivery,
  type FromClient,
  IdIndex,
  type Indexed,
  type Instant,
  type RequestId,
} from "@pigato/protocol";
import type { Notice } from "./effects.ts";
import type { Window } from "./window.ts";

export type RequestMessage = Extract<FromClient, { readonly type: "request" }>;

export class Call<Caller> implements Deadline<Call<Caller>>, Indexed {
  readonly id: RequestId;
  readonly message: RequestMessage;
  /** Who is told. The session hands it back and knows nothing of it. */
  readonly caller: Caller;
  /** How much of the reply may be on its way, where its caller reads at its own pace. */
  readonly window: Window | undefined;
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
  /** Whether half of its time is up, and nothing that was read could be granted again. */
  isHalfway = false;
  // The rest is the business of `Calls`: its place among the open ones, and its time, which makes it its own deadline.
  isWaiting = false;
  readonly salt = 0;
  index = -1;
  hash = 0;
  older: Call<Caller> | undefined;
  newer: Call<Caller> | undefined;
  at: Instant = Number.POSITIVE_INFINITY;
  list: Deadline<Call<Caller>>["list"];
  timerPrev: Deadline<Call<Caller>> | undefined;
  timerNext: Deadline<Call<Caller>> | undefined;

  constructor(message: RequestMessage, caller: Caller, window: Window | undefined) {
    this.id = message.requestId;
    this.message = message;
    this.caller = caller;
    this.window = window;
  }

  get owner(): Call<Caller> {
    return this;
  }

  /** What can be said of its delivery from this side alone: a broker that got it may have passed it on at any time. */
  get delivery(): Delivery {
    return this.sends > this.returns ? "maybe-executed" : "not-sent";
  }
}

// No Map of the open ones: it cost a tenth of what a client does for a request, and kept ended calls alive (IdIndex).
export class Calls<Caller> {
  readonly #rows: (Call<Caller> | undefined)[] = [];
  readonly #free: number[] = [];
  readonly #ids: IdIndex<Call<Caller>> = new IdIndex(this.#rows);
  #first: Call<Caller> | undefined;
  #last: Call<Caller> | undefined;
  readonly #waiting = new Set<Call<Caller>>();
  readonly #deadlines = new Deadlines<Call<Caller>>();
  #turn = 0;
  /** Goes on where it stopped: to start over would be to pass by all that has been taken out. */
  readonly #line: Iterator<Call<Caller>, undefined> = this.#waiting.values();

  get size(): number {
    return this.#rows.length - this.#free.length;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get(id: RequestId): Call<Caller> | undefined {
    return this.#ids.find(id, 0);
  }

  /** All of them, oldest first. The one at hand may be ended or moved meanwhile, no other. */
  *all(): IterableIterator<Call<Caller>> {
    let call = this.#first;
    while (call !== undefined) {
      const { newer } = call;
      yield call;
      call = newer;
    }
  }

  add(message: RequestMessage, caller: Caller, window?: Window): Call<Caller> {
    const call = new Call(message, caller, window);
    call.index = this.#free.pop() ?? this.#rows.length;
    this.#rows[call.index] = call;
    this.#ids.add(call);
    call.older = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.newer = call;
    this.#last = call;
    return call;
  }

  /** Has no effect on one that has ended. */
  end(call: Call<Caller>): void {
    if (this.#rows[call.index] !== call) return;
    this.#ids.remove(call);
    this.#rows[call.index] = undefined;
    this.#free.push(call.index);
    const { older, newer } = call;
    if (older === undefined) this.#first = newer;
    else older.newer = newer;
    if (newer === undefined) this.#last = older;
    else newer.older = older;
    call.older = undefined;
    call.newer = undefined;
    if (call.isWaiting) this.#stopWaiting(call);
    this.#deadlines.clear(call);
  }

  keepWaiting(call: Call<Caller>): void {
    call.isWaiting = true;
    this.#waiting.add(call);
  }

  /** Takes out everything that waits, in order. */
  takeWaiting(): readonly Call<Caller>[] {
    const calls = [...this.#waiting];
    for (const call of calls) this.#stopWaiting(call);
    return calls;
  }

  /** Takes out the one that waits longest. Not to be mixed with `takeWaiting`. */
  takeNextWaiting(): Call<Caller> | undefined {
    // An iterator that has seen the end never comes back from there.
    if (this.#waiting.size === 0) return undefined;
    const { value: call } = this.#line.next();
    if (call !== undefined) this.#stopWaiting(call);
    return call;
  }

  /** Up to `most` of the calls that were sent before an instant; where there are more, they take turns. */
  sentBefore(instant: Instant, most: number): readonly Call<Caller>[] {
    const sent: Call<Caller>[] = [];
    for (const call of this.all()) {
      if (call.sentAt <= instant && !call.isWaiting) sent.push(call);
    }
    if (sent.length <= most) return sent;
    const first = this.#turn % sent.length;
    this.#turn = first + most;
    return [...sent.slice(first), ...sent.slice(0, first)].slice(0, most);
  }

  /** Makes the call due `durationMs` from now, whatever it was before. `Infinity` is never. */
  setTimer(call: Call<Caller>, durationMs: number, now: Instant): void {
    this.#deadlines.set(call, durationMs, now);
  }

  /** Takes out the timer of one call that is due; the call itself stays. `undefined`: none is. */
  takeDue(now: Instant): Call<Caller> | undefined {
    return this.#deadlines.takeDue(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#deadlines.next();
  }

  #stopWaiting(call: Call<Caller>): void {
    call.isWaiting = false;
    this.#waiting.delete(call);
  }
}
