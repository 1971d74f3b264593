// The open requests, by id, by age and by deadline. A call is open from its acceptance to its end. It waits to be sent, or it
// has been sent on this connection. An exchange decides what happens to it.

import { type CallId, ReceiveWindow, SlotTable } from "@pigato/peer/session";
import { type Delivery, type Failure, type RequestId, requestId } from "@pigato/protocol";
import { type Deadline, Deadlines, type Instant } from "@pigato/protocol/internal";
import type { CallInput } from "./call-input.ts";
import { type Effect, failed, type Notice, type RequestInput, type RequestMessage } from "./effects.ts";
import { closed, tooManyOpen, tooManyWaiting } from "./failures.ts";

export interface RequestLimits {
  /** Requests that may wait for a link, in Majordomo for their turn. */
  readonly maxQueuedRequests: number;
  /** Requests that may be open, waiting or sent. */
  readonly maxOpenRequests: number;
  /** Milliseconds after a request's timeout in which the broker may still report that it has expired. */
  readonly timeoutGraceMs: number;
  /** Whether each connection has the same routing id, so that the broker can deliver replies that it held. */
  readonly hasStableId: boolean;
}

const ZERO = "0".charCodeAt(0);

/** The id of a request: text that no other client uses, and the number of the call. @param prefix ends with no digit */
export function requestIdOf(prefix: string, call: CallId): RequestId {
  return requestId(`${prefix}${call}`);
}

/** The number at the end of a request's id. Of an id that `requestIdOf` did not make, any number. */
export function callOf(id: RequestId): CallId {
  let call = 0;
  let unit = 1;
  for (let at = id.length - 1; at >= 0; at--) {
    const digit = id.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) break;
    call += digit * unit;
    unit *= 10;
  }
  return call;
}

export class Call implements Deadline<Call> {
  readonly id: RequestId;
  readonly message: RequestMessage;
  /** Its id in the shell. */
  readonly call: CallId;
  /** For callers with flow control. */
  readonly window: ReceiveWindow | undefined;
  /** For streamed input. */
  input: CallInput | undefined;
  /** P-KEEP-4: sent again under the same ids, it does not run twice if the broker still has it. */
  readonly isDurable: boolean;
  /** How often a link accepted it. */
  sends = 0;
  /** How often a link returned it unsent. */
  returns = 0;
  /** How often a broker returned or forgot it. Sets the next pause before it is sent again. */
  pauses = 0;
  /** Set while it pauses. */
  pause: Deadline<Call> | undefined;
  /** The least safe delivery class of its earlier attempts. */
  earlier: Delivery = "not-sent";
  /** When it must end. Set when it is accepted. */
  deadlineAt: Instant | undefined;
  /** When it was last sent on a link. */
  sentAt: Instant = Number.POSITIVE_INFINITY;
  /** The broker's last notice of it since it was last sent. */
  notice: Notice | undefined;
  hasPartial = false;
  /** Whether its timeout has passed, and only the broker's failure for it is awaited. */
  isInGrace = false;
  /** Whether half of its timeout has passed without a grant. */
  isHalfway = false;
  // `Calls` maintains these fields: the links of its lists, and the timer.
  isWaiting = false;
  openPrev: Call | undefined;
  openNext: Call | undefined;
  at: Instant = Number.POSITIVE_INFINITY;
  list: Deadline<Call>["list"];
  timerPrev: Deadline<Call> | undefined;
  timerNext: Deadline<Call> | undefined;

  constructor({ call, message, isPaced }: RequestInput, hasStableId: boolean) {
    this.id = message.requestId;
    this.message = message;
    this.call = call;
    this.isDurable = message.options.persist && hasStableId;
    this.window = isPaced ? new ReceiveWindow() : undefined;
  }

  get owner(): Call {
    return this;
  }

  isDeadlineOver(now: Instant): boolean {
    return this.deadlineAt !== undefined && now >= this.deadlineAt;
  }

  /** What this side knows of its delivery: a broker that received it may have dispatched it. */
  get delivery(): Delivery {
    return this.attempts > 0 ? "maybe-executed" : "not-sent";
  }

  /** How often it was sent to a broker that may have received it. */
  get attempts(): number {
    return this.sends - this.returns;
  }
}

export class Calls {
  /** The ids themselves contain the keys, so that finding a call costs no hash of its id. */
  readonly #byNumber = new SlotTable<Call>();
  #first: Call | undefined;
  #last: Call | undefined;
  readonly #waiting = new Set<Call>();
  readonly #deadlines = new Deadlines<Call>();
  readonly #pauses = new Deadlines<Call>();
  readonly #limits: RequestLimits;
  readonly #emit: (effect: Effect) => void;
  #turn = 0;
  /** One iterator for all removals: a new one would first skip all removed entries. */
  readonly #queue: Iterator<Call, undefined> = this.#waiting.values();

  constructor(limits: RequestLimits, emit: (effect: Effect) => void) {
    this.#limits = limits;
    this.#emit = emit;
  }

  /** Its tables, for the checks of tests. */
  audit(): { readonly waiting: ReadonlySet<Call>; readonly timers: number; readonly pauses: number } {
    return { waiting: this.#waiting, timers: this.#deadlines.size, pauses: this.#pauses.size };
  }

  get size(): number {
    return this.#byNumber.size;
  }

  get waitingCount(): number {
    return this.#waiting.size;
  }

  get(id: RequestId): Call | undefined {
    const call = this.#byNumber.get(callOf(id));
    return call?.id === id ? call : undefined;
  }

  /** All calls, oldest first. During the iteration, only the current call may be ended or moved. */
  *all(): IterableIterator<Call> {
    let call = this.#first;
    while (call !== undefined) {
      const { openNext } = call;
      yield call;
      call = openNext;
    }
  }

  /**
   * Adds a new request, or fails it at a bound.
   * @param mustWait whether it cannot be sent now
   */
  accept(input: RequestInput, mustWait: boolean): Call | undefined {
    const { maxOpenRequests, maxQueuedRequests } = this.#limits;
    if (this.size >= maxOpenRequests) {
      this.#emit(failed(input, tooManyOpen(input.message, maxOpenRequests)));
    } else if (mustWait && this.waitingCount >= maxQueuedRequests) {
      this.#emit(failed(input, tooManyWaiting(input.message, maxQueuedRequests)));
    } else {
      return this.#add(input);
    }
    return undefined;
  }

  /** Has no effect on a call that has ended. */
  end(call: Call): void {
    if (this.#byNumber.take(call.call) === undefined) return;
    const { openPrev, openNext } = call;
    if (openPrev === undefined) this.#first = openNext;
    else openPrev.openNext = openNext;
    if (openNext === undefined) this.#last = openPrev;
    else openNext.openPrev = openPrev;
    call.openPrev = undefined;
    call.openNext = undefined;
    if (call.isWaiting) this.#stopWaiting(call);
    this.#deadlines.clear(call);
    call.window?.stop();
    call.input?.stop();
  }

  fail(call: Call, failure: Failure): void {
    this.end(call);
    this.#emit(failed(call, failure));
  }

  /** Fails all calls, because the client stops. */
  close(): void {
    for (const call of this.all()) this.fail(call, closed(call));
  }

  keepWaiting(call: Call): void {
    call.isWaiting = true;
    this.#waiting.add(call);
  }

  /** Keeps it waiting until the end of a pause (`takePaused`), or until `takeWaiting` ends all pauses. */
  pause(call: Call, pauseMs: number, now: Instant): void {
    call.pause = this.#pauses.entry(call);
    this.#pauses.set(call.pause, pauseMs, now);
    this.keepWaiting(call);
  }

  /** Removes and returns all waiting calls, in order. @param alsoPaused whether to end pauses */
  takeWaiting(alsoPaused: boolean): readonly Call[] {
    const calls = [...this.#waiting].filter(({ pause }) => alsoPaused || pause === undefined);
    for (const call of calls) this.#stopWaiting(call);
    return calls;
  }

  /** Removes and returns a waiting call whose pause is over. */
  takePaused(now: Instant): Call | undefined {
    const call = this.#pauses.takeDue(now);
    if (call !== undefined) this.#stopWaiting(call);
    return call;
  }

  /** Removes and returns the call that waits longest. Do not mix with `takeWaiting`. */
  takeNextWaiting(): Call | undefined {
    // An iterator that has reached the end is done, even if entries are added later.
    if (this.#waiting.size === 0) return undefined;
    const { value: call } = this.#queue.next();
    if (call !== undefined) this.#stopWaiting(call);
    return call;
  }

  /** Up to `most` of the calls that were sent before an instant. If there are more, they take turns. */
  sentBefore(instant: Instant, most: number): readonly Call[] {
    const sent: Call[] = [];
    for (const call of this.all()) {
      if (call.sentAt <= instant && !call.isWaiting) sent.push(call);
    }
    if (sent.length <= most) return sent;
    const first = this.#turn % sent.length;
    this.#turn = first + most;
    return [...sent.slice(first), ...sent.slice(0, first)].slice(0, most);
  }

  /** Counts a sending. The timeout starts with the first one. */
  onSent(call: Call, now: Instant): void {
    if (call.sends === 0) this.startTimer(call, now);
    call.sends += 1;
    call.sentAt = now;
  }

  /** Sets the call's timer to its whole timeout. */
  startTimer(call: Call, now: Instant): void {
    this.setTimer(call, call.message.options.timeoutMs, now);
  }

  /** Sets the call's timer to `durationMs` from now, at most to its deadline, in place of an earlier one. `Infinity` never fires. */
  setTimer(call: Call, durationMs: number, now: Instant): void {
    const { deadlineAt } = call;
    const mostMs = deadlineAt === undefined ? durationMs : Math.min(durationMs, this.#mostLeft(deadlineAt, now));
    this.#deadlines.set(call, mostMs, now);
  }

  /** The time until its deadline. Then the time in which the broker may still report that it has passed. */
  #mostLeft(deadlineAt: Instant, now: Instant): number {
    const leftMs = Math.ceil(deadlineAt - now);
    return leftMs > 0 ? leftMs : Math.max(0, leftMs + this.#limits.timeoutGraceMs);
  }

  /** Clears the timer of one due call, and returns the call, which stays open. `undefined` if none is due. */
  takeDue(now: Instant): Call | undefined {
    return this.#deadlines.takeDue(now);
  }

  nextDeadline(): Instant | undefined {
    const timeout = this.#deadlines.next();
    const pause = this.#pauses.next();
    return pause === undefined || (timeout !== undefined && timeout <= pause) ? timeout : pause;
  }

  get mayWakeEarlier(): boolean {
    return this.#deadlines.mayBeEarlier || this.#pauses.mayBeEarlier;
  }

  #add(input: RequestInput): Call {
    const call = new Call(input, this.#limits.hasStableId);
    this.#byNumber.set(call.call, call);
    call.openPrev = this.#last;
    if (this.#last === undefined) this.#first = call;
    else this.#last.openNext = call;
    this.#last = call;
    return call;
  }

  #stopWaiting(call: Call): void {
    call.isWaiting = false;
    this.#waiting.delete(call);
    if (call.pause === undefined) return;
    this.#pauses.clear(call.pause);
    call.pause = undefined;
  }
}
