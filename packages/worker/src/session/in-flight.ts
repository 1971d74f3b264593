// The requests in flight of one connection: which messages of their replies are sent, which wait for credit or for the link,
// and how the requests end.
//
// Invariants:
// - A request is in flight until its final, its rejection, its `abort` or the end of the connection. Later calls of its handler
// have no effect: a request has one final, and no reply of one connection is sent on another (P-DISC-2).
// - A partial that cannot be sent fails its request, and nothing of the reply follows it. So the next message of a handler
// waits until the link has accepted the partials before it (`defer`).
// - A partial without credit waits (P-STREAM-4), and so do all later messages of its handler.

import { type CallId, Sender } from "@pigato/peer/session";
import { type Capabilities, display, type Failure, NO_CAPABILITIES, NULL_FRAME, type ToWorker } from "@pigato/protocol";
import {
  type BodyCodecName,
  boundsIn,
  bytesOf,
  DEFAULT_SIZE_BOUNDS,
  DEFAULT_TIMEOUT_MS,
  Deadlines,
  excessOf,
  type Instant,
  MAX_CREDIT,
  ownFrames,
  type SizeBounds,
} from "@pigato/protocol/internal";
import {
  type Effect,
  type Effects,
  type FinalInput,
  type HandlerInput,
  type Input,
  NO_EFFECTS,
  type PartialInput,
  type WorkerRequest,
} from "./effects.ts";
import { InputStreams } from "./input-streams.ts";
import { cancelFailure, errorReply, failureOf, replyMessage, report, send, sendUrgently } from "./messages.ts";
import { PartialBatch } from "./partial-batch.ts";
import { type InFlightRequest, type RequestRef, RequestTable } from "./request-table.ts";

export interface InFlightOptions {
  /** Bytes that handlers may write beyond their credit, for all requests together. */
  readonly maxHeldBytes: number;
  /** A number from 0 up to 1. */
  readonly random: () => number;
}

export interface InFlightAudit {
  readonly requests: readonly InFlightRequest[];
  /** The request whose partials are batched. */
  readonly batched: InFlightRequest | undefined;
  readonly isFlushDue: boolean;
  readonly timers: number;
  readonly isLinkSlow: boolean;
  readonly heldBytes: number;
  readonly ready: ReadonlySet<InFlightRequest>;
}

/** Milliseconds after its timeout in which the broker ends a request, so that it need not know the worker's rejection. */
const EXPIRY_GRACE_MS = 1_000;
/** Memory for each held partial besides its frames. */
const OVERHEAD_BYTES = 256;
const CONTINUE: Input = Object.freeze({ type: "continue" });
const CONTINUE_WHEN_SENT: Effect = Object.freeze({ type: "defer", input: CONTINUE, until: "sent" });
const CONTINUE_WHEN_NOTIFIED: Effect = Object.freeze({ type: "defer", input: CONTINUE, until: "notified" });
const FLUSH_SOON: Effects = Object.freeze([Object.freeze({ type: "flush-soon" })]);

export class InFlightRequests {
  /** Whether the worker made an offer on this connection. */
  negotiates = false;
  #capabilities: Capabilities = NO_CAPABILITIES;
  /** The sizes that the broker accepts. */
  brokerBounds: SizeBounds = DEFAULT_SIZE_BOUNDS;
  readonly #options: InFlightOptions;
  readonly #table: RequestTable;
  readonly #sender: Sender<InFlightRequest, PartialInput | FinalInput>;
  readonly #batch = new PartialBatch();
  readonly #deadlines = new Deadlines<InFlightRequest>();
  readonly inputs: InputStreams;
  #isFlushDue = false;
  /** The request whose partial is the current input. If the link becomes slow, its handler is paused. */
  #writer: InFlightRequest | undefined;

  constructor(options: InFlightOptions) {
    this.#options = options;
    this.#table = new RequestTable(options.random);
    this.inputs = new InputStreams(this.#table, (request, message) => this.#fail(request, message, "INVALID"));
    this.#sender = new Sender({
      maxHeldBytes: options.maxHeldBytes,
      bytesOf: costOf,
      isEnd: ({ type }) => type === "final",
    });
  }

  get size(): number {
    return this.#table.size;
  }

  /** The capabilities that both sides support on this connection, and the settings of the broker. */
  get capabilities(): Capabilities {
    return this.#capabilities;
  }

  set capabilities(accepted: Capabilities) {
    this.#capabilities = accepted;
    this.brokerBounds = boundsIn(accepted);
  }

  /** Its tables, for the checks of tests. */
  audit(): InFlightAudit {
    return {
      requests: this.#table.all(),
      batched: this.#batch.request,
      isFlushDue: this.#isFlushDue,
      timers: this.#deadlines.size,
      isLinkSlow: this.#sender.isLinkSlow,
      ...this.#sender.audit(),
    };
  }

  /** @returns `undefined` if a request with the same address and id is in flight */
  add(request: WorkerRequest): InFlightRequest | undefined {
    const added = this.#table.add(request);
    if (added === undefined) return undefined;
    if (this.capabilities.credit) added.credit = request.credit ?? MAX_CREDIT;
    added.isFramed = request.isFramed === true;
    const { hasInput, timeoutMs } = request.options;
    if (hasInput && this.capabilities.duplex) this.inputs.open(added, timeoutMs);
    return added;
  }

  /** P-CODEC-3: the codec that the request asks for, if the broker supports it. */
  codecFor({ options: { accept } }: WorkerRequest): BodyCodecName | undefined {
    return accept !== undefined && this.#capabilities.codecs.includes(accept) ? accept : undefined;
  }

  get(call: CallId): InFlightRequest | undefined {
    return this.#table.get(call);
  }

  find(ref: RequestRef): InFlightRequest | undefined {
    return this.#table.find(ref);
  }

  onCancel(message: Extract<ToWorker, { readonly type: "cancel" }>): Effects {
    const request = this.#table.find(message);
    if (request === undefined) return NO_EFFECTS;
    this.remove(request);
    return [{ type: "abort", call: request.id, failure: cancelFailure(message) }];
  }

  /** P-TIME-5: ends the request by itself when its timeout is over, because its broker cannot cancel it. */
  expire(request: InFlightRequest, timeoutMs: number, now: Instant): void {
    // The original's broker takes 0 for its default; ours never dispatches such a request.
    const afterMs = (timeoutMs === 0 ? DEFAULT_TIMEOUT_MS : timeoutMs) + EXPIRY_GRACE_MS;
    request.expiry = { timeoutMs: afterMs, deadline: this.#deadlines.entry(request) };
    this.#restartTimeout(request, now);
  }

  nextDeadline(): Instant | undefined {
    return this.#deadlines.next();
  }

  get mayWakeEarlier(): boolean {
    return this.#deadlines.mayBeEarlier || this.inputs.mayWakeEarlier;
  }

  onTick(now: Instant): Effects {
    const effects: Effect[] = [...this.inputs.onTick(now)];
    for (let due = this.#deadlines.takeDue(now); due !== undefined; due = this.#deadlines.takeDue(now)) {
      // The broker may not have the last partials yet.
      if (this.#sender.isLinkSlow) this.#restartTimeout(due, now);
      else effects.push(...this.#onExpired(due));
    }
    return effects;
  }

  /** Ends the request. Nothing more of its reply is sent. */
  remove(request: InFlightRequest): void {
    if (request.expiry !== undefined) this.#deadlines.clear(request.expiry.deadline);
    this.inputs.close(request);
    this.#table.remove(request);
    this.#sender.remove(request);
    if (this.#batch.request === request) this.#batch.clear();
  }

  onPartial(input: PartialInput, now: Instant): Effects {
    const request = this.#table.get(input.call);
    if (request === undefined) return NO_EFFECTS;
    const excess = input.excess ?? excessOf(this.brokerBounds, input.body, input.options);
    if (excess !== undefined) return this.#onTooLarge(request, excess);
    if (request.expiry !== undefined) this.#restartTimeout(request, now);
    if (this.#sender.isBlocked(request)) {
      return this.#sender.hold(request, toHold(input)) ? this.#pause(request) : this.#onHeldTooMuch(request);
    }
    const canWait = this.#canWait(request, input);
    if (!canWait && this.#batch.request === request) return this.#sendBatchBefore(input);
    const mustWait = this.#sender.spend(request, bytesOf(input.body));
    this.#writer = request;
    const effects = canWait ? this.#addToBatch(request, input) : [this.#sendPartial(request, input)];
    return mustWait || this.#sender.isLinkSlow ? [...effects, ...this.#pause(request)] : effects;
  }

  onFinal(input: FinalInput): Effects {
    const request = this.#table.get(input.call);
    if (request === undefined) return NO_EFFECTS;
    const excess = input.excess ?? excessOf(this.brokerBounds, input.body, input.options);
    if (excess !== undefined) return this.#onTooLarge(request, excess);
    if (request.held !== undefined) {
      this.#sender.hold(request, toHold(input));
      return NO_EFFECTS;
    }
    return this.#batch.request === request ? this.#sendBatchBefore(input) : this.#end(request, input);
  }

  onReject(input: Extract<HandlerInput, { readonly type: "reject" }>): Effects {
    const request = this.#table.get(input.call);
    return request === undefined ? NO_EFFECTS : this.#end(request, input);
  }

  /** P-STREAM-4. An unknown request has ended while the credit was in transit. */
  onCredit(ref: RequestRef & { readonly chunks: number }): Effects {
    const request = this.#table.find(ref);
    return request !== undefined && this.#sender.grant(request, ref.chunks) ? this.onContinue() : NO_EFFECTS;
  }

  /** A fault ends the request. */
  onInput(message: ToWorker & { readonly type: "input" | "input-end" }): Effects {
    if (!this.#capabilities.duplex) return [report("P-STREAM-2", `"${message.type}" was not negotiated`)];
    return message.type === "input" ? this.inputs.onChunks(message) : this.inputs.onEnd(message);
  }

  onLinkSlow(): Effects {
    this.#sender.isLinkSlow = true;
    const writer = this.#writer;
    if (writer === undefined || this.#table.get(writer.id) === undefined) return NO_EFFECTS;
    return this.#pause(writer);
  }

  onLinkDrained(): Effects {
    this.#sender.isLinkSlow = false;
    return this.onContinue();
  }

  onFlush(): Effects {
    this.#isFlushDue = false;
    this.#writer = undefined;
    const message = this.#batch.take();
    return message === undefined ? NO_EFFECTS : [send(message)];
  }

  /** Sends waiting messages: one message, or one `drain`, at a time, because each may make the link slow. */
  onContinue(): Effects {
    this.#writer = undefined;
    for (let request = this.#sender.takeReady(); request !== undefined; request = this.#sender.takeReady()) {
      const effects = this.#sendHeld(request);
      if (effects.length > 0) return effects;
    }
    return NO_EFFECTS;
  }

  /** A reply must not have a gap, and without a grant the rest of the input never comes. */
  onNotSent(ref: RequestRef): Effects {
    const request = this.#table.find(ref);
    if (request === undefined) return NO_EFFECTS;
    return this.#fail(request, `request ${display(ref.requestId)} cannot continue: the link to the broker is full`);
  }

  /** Ends all requests of the connection, oldest first. */
  abortAll(failure: Failure): Effects {
    const requests = this.#table.all();
    for (const request of requests) this.remove(request);
    this.#sender.isLinkSlow = false;
    this.#writer = undefined;
    return requests.map(({ id }) => ({ type: "abort", call: id, failure }));
  }

  #restartTimeout({ expiry }: InFlightRequest, now: Instant): void {
    if (expiry !== undefined) this.#deadlines.set(expiry.deadline, expiry.timeoutMs, now);
  }

  /** A reply is too late for the client. The original's broker counts the request as in flight until it gets an end. */
  #onExpired(request: InFlightRequest): Effects {
    const sent = this.#batch.request === request ? this.#takeBatch() : NO_EFFECTS;
    this.remove(request);
    const { id: call, requestId } = request;
    const message = `request ${display(requestId)} exceeded its timeout at the worker`;
    return [
      ...sent,
      send(replyMessage(request, { type: "reject", call, reason: NULL_FRAME }, this.negotiates)),
      { type: "abort", call, failure: failureOf("DEADLINE_EXCEEDED", message) },
    ];
  }

  #canWait(request: InFlightRequest, input: PartialInput): boolean {
    if (!this.capabilities.partials || request.isFramed || !PartialBatch.takes(input)) return false;
    // P-SIZE-1: each chunk may be within the bound, and all of them beyond it.
    return this.brokerBounds.maxMessageBytes - input.options.length >= PartialBatch.MAX_BYTES;
  }

  #pause(request: InFlightRequest): Effects {
    return this.#sender.pause(request) ? [{ type: "pause", call: request.id }] : NO_EFFECTS;
  }

  #sendHeld(request: InFlightRequest): Effects {
    const input = this.#sender.peek(request);
    if (input === undefined) return this.#drain(request);
    if (input.type === "partial") return this.#sendHeldPartials(request);
    this.#sender.requeue(request);
    if (this.#batch.request === request) return [...this.#takeBatch(), CONTINUE_WHEN_SENT];
    return [...this.#end(request, input), CONTINUE_WHEN_SENT];
  }

  #sendHeldPartials(request: InFlightRequest): Effects {
    this.#sender.requeue(request);
    const effects: Effect[] = [];
    let input = this.#sender.peek(request);
    while (effects.length === 0 && input?.type === "partial") {
      const canWait = this.#canWait(request, input);
      if (!canWait && this.#batch.request === request) {
        effects.push(...this.#takeBatch());
        break;
      }
      this.#sender.shift(request);
      this.#sender.spend(request, bytesOf(input.body));
      if (canWait) effects.push(...this.#addToBatch(request, input));
      else effects.push(this.#sendPartial(request, input));
      input = this.#sender.peek(request);
    }
    effects.push(CONTINUE_WHEN_SENT);
    return effects;
  }

  #drain(request: InFlightRequest): Effects {
    if (!this.#sender.resume(request)) return NO_EFFECTS;
    const drain: Effect = { type: "drain", call: request.id };
    return this.#sender.hasReady ? [drain, CONTINUE_WHEN_NOTIFIED] : [drain];
  }

  /** If the send of the earlier partials fails, this message must not be sent. */
  #sendBatchBefore(input: HandlerInput): Effects {
    return [...this.#takeBatch(), { type: "defer", input, until: "sent" }];
  }

  #takeBatch(): Effects {
    const message = this.#batch.take();
    return message === undefined ? NO_EFFECTS : [send(message)];
  }

  #addToBatch(request: InFlightRequest, input: PartialInput): Effects {
    const full = this.#batch.add(request, input) ? undefined : this.#batch.take();
    if (full !== undefined) this.#batch.add(request, input);
    if (this.#isFlushDue) return full === undefined ? NO_EFFECTS : [send(full)];
    this.#isFlushDue = true;
    return full === undefined ? FLUSH_SOON : [send(full), ...FLUSH_SOON];
  }

  #sendPartial(request: InFlightRequest, input: PartialInput): Effect {
    return send(replyMessage(request, input, this.negotiates));
  }

  #end(request: InFlightRequest, input: FinalInput | Extract<HandlerInput, { readonly type: "reject" }>): Effects {
    this.remove(request);
    return [send(replyMessage(request, input, this.negotiates)), { type: "finished", call: request.id }];
  }

  /** The handler did not pause. Its last chunk cannot be left out, so nothing more of the reply is sent. */
  #onHeldTooMuch(request: InFlightRequest): Effects {
    const { maxHeldBytes } = this.#options;
    const reason = `its client does not read, and more than maxHeldBytes (${maxHeldBytes}) bytes of replies are held`;
    const sent = this.#batch.request === request ? this.#takeBatch() : NO_EFFECTS;
    return [...sent, ...this.#fail(request, `request ${display(request.requestId)} cannot continue: ${reason}`)];
  }

  /** P-SIZE-1. */
  #onTooLarge(request: InFlightRequest, excess: string): Effects {
    const sent = this.#batch.request === request ? this.#takeBatch() : NO_EFFECTS;
    const message = `the reply to request ${display(request.requestId)} is too large for the broker: ${excess}`;
    return [...sent, ...this.#fail(request, message, "INVALID")];
  }

  #fail(request: InFlightRequest, message: string, code: Failure["code"] = "BUSY"): Effects {
    this.remove(request);
    return [
      sendUrgently(errorReply(request, code, message)),
      { type: "abort", call: request.id, failure: failureOf(code, message) },
    ];
  }
}

/** The frames of a message that waits must not keep alive the buffers that they were encoded into. */
function toHold<Input extends PartialInput | FinalInput>(input: Input): Input {
  return { ...input, body: ownFrames(input.body) };
}

function costOf({ body, options }: PartialInput | FinalInput): number {
  return OVERHEAD_BYTES + options.length + bytesOf(body);
}
