// Checks a client's session by its inputs and effects alone, and throws as soon as an invariant breaks: what is sent of each
// request, and how it ends.

import type { CallId } from "@pigato/peer/session";
import { type Capabilities, type FromClient, NO_CAPABILITIES, type RequestId } from "@pigato/protocol";
import { MAX_CREDIT } from "@pigato/protocol/internal";
import { invariant, LinkChecks } from "@pigato/testkit";
import type { Effect, Input, RequestInput } from "../session/effects.ts";
import type { SessionOptions } from "../session/session.ts";

/** A request from its acceptance until its end. */
interface ModelCall {
  readonly input: RequestInput;
  /** Whether the broker of this connection has it. */
  isSent: boolean;
  /** How often it was sent to a broker that may have received it. */
  attempts: number;
  hasPartial: boolean;
  /** Chunks that were granted on this connection and have not arrived. */
  granted: number;
  /** Chunks of input that its worker granted and that were not sent; `undefined` before the first grant. */
  inputCredit: number | undefined;
}

type FailedEffect = Extract<Effect, { readonly type: "failed" }>;

/** The most chunks of one window. */
const MAX_GRANTED = 4_096;

export class SessionObserver {
  /** A Majordomo client has one request at the broker. */
  readonly #isSequential: boolean;
  readonly #link = new LinkChecks();
  readonly #byCall = new Map<CallId, ModelCall>();
  readonly #byId = new Map<RequestId, ModelCall>();
  /** What the broker of this connection accepted. */
  #accepted: Capabilities | undefined;
  #isBrokerKnown = false;

  constructor({ connection }: SessionOptions) {
    this.#isSequential = !connection.brokerAnswers;
  }

  before(input: Input): void {
    this.#link.before(input);
    switch (input.type) {
      case "request": {
        invariant(!this.#byCall.has(input.call), `call ${input.call} is made twice`);
        const call = { input, isSent: false, attempts: 0, hasPartial: false, granted: 0, inputCredit: undefined };
        this.#byCall.set(input.call, call);
        this.#byId.set(input.message.requestId, call);
        return;
      }
      case "message":
        if (input.message.type === "heartbeat" && this.#link.isUp)
          this.#accepted = input.message.accepted ?? this.#accepted;
        if (input.message.type === "credit") this.#grant(input.message.requestId, input.message.chunks);
        return;
      case "send-failed":
        if (input.message === "request")
          this.#return(this.#isSequential ? this.#current() : this.#byId.get(input.requestId));
        return;
      case "undelivered":
        return this.#return(this.#isSequential ? this.#current() : this.#byId.get(input.requestId));
    }
  }

  after(input: Input, effects: readonly Effect[]): void {
    for (const effect of effects) this.#see(effect, input);
    this.#link.after();
    // A broker that failed a request does not have it, even if the client sends it again.
    const ended = input.type === "message" && input.message.type === "failure" ? input.message.requestId : undefined;
    const failed = ended === undefined ? undefined : this.#byId.get(ended);
    if (failed !== undefined) failed.isSent = false;
    if (input.type === "message" && this.#link.isUp) this.#isBrokerKnown = true;
    if (!this.#link.isUp) return;
    const sent = [...this.#byCall.values()].filter(({ isSent }) => isSent).length;
    invariant(!this.#isSequential || sent <= 1, `${sent} requests are with a broker that takes one at a time`);
    if (this.#isSequential) return invariant(sent > 0 || this.#byCall.size === 0, "requests wait while none is sent");
    for (const { input: request, attempts, isSent } of this.#byCall.values()) {
      const { options, deadlineMs, hasHeaders } = request.message;
      const isTagged = deadlineMs !== undefined || hasHeaders === true;
      const isNegotiated = options.codec !== undefined || options.acceptTimeoutMs !== undefined;
      const dependsOnBroker = request.isPaced || isTagged || isNegotiated;
      const mayWait =
        attempts > 0 || isSent || (dependsOnBroker && !this.#isBrokerKnown) || input.type === "undelivered";
      invariant(mayWait, `request ${request.message.requestId} waits although the broker is known`);
    }
  }

  #see(effect: Effect, input: Input): void {
    this.#link.see(effect);
    switch (effect.type) {
      case "close":
        this.#accepted = undefined;
        this.#isBrokerKnown = false;
        for (const call of this.#byCall.values()) call.isSent = false;
        return;
      case "send":
        return this.#seeSend(effect.message, input);
      case "partial":
        return this.#seePartial(this.#open(effect.call, "a partial"), input);
      case "progress":
      case "report-reads":
        this.#open(effect.call, effect.type);
        return;
      case "final":
        invariant(this.#open(effect.call, "a final").isSent, "a request has a reply and was not sent");
        return this.#end(effect.call);
      case "failed":
        return this.#seeFailed(effect, input);
      case "open":
        for (const { input: request, attempts } of this.#byCall.values()) {
          const { retry, persist } = request.message.options;
          const survives = attempts === 0 || retry || persist || this.#isSequential;
          invariant(survives, `request ${request.message.requestId} survives its connection`);
        }
        return;
      case "stopped":
        return invariant(this.#byCall.size === 0, "requests outlive the client");
    }
  }

  #seeSend(message: FromClient, input: Input): void {
    const { cancel, credit } = this.#accepted ?? NO_CAPABILITIES;
    switch (message.type) {
      case "request":
        return this.#seeRequest(message);
      case "cancel":
        return invariant(cancel && this.#sent(message.requestId).isSent, "a cancel is sent that was not negotiated");
      case "request-heartbeat":
        if (input.type !== "heartbeat") this.#sent(message.requestId);
        return;
      case "credit": {
        const call = this.#sent(message.requestId);
        invariant(
          credit && call.input.isPaced && message.chunks > 0,
          `a grant of ${message.chunks} that was not negotiated`,
        );
        call.granted += message.chunks;
        return invariant(call.granted <= MAX_GRANTED, `${call.granted} chunks are granted at once`);
      }
      case "input":
      case "input-end":
        return this.#seeInput(message);
      case "disconnect":
        return invariant(this.#accepted !== undefined, "DISCONNECT is sent to a broker that may not know it");
    }
  }

  #seeRequest({ requestId, credit }: Extract<FromClient, { readonly type: "request" }>): void {
    const call = this.#byId.get(requestId);
    if (call === undefined) return invariant(false, `request ${requestId} is sent after its end`);
    invariant(!call.isSent, `request ${requestId} is sent twice to one broker`);
    invariant(!call.hasPartial, `request ${requestId} is sent again after a partial`);
    const isPaced = call.input.isPaced && this.#accepted?.credit === true;
    invariant(isPaced === (credit !== undefined), `request ${requestId} carries ${credit} credit`);
    call.isSent = true;
    call.inputCredit = undefined;
    call.attempts += 1;
    call.granted = credit ?? 0;
  }

  #grant(id: RequestId, chunks: number): void {
    const call = this.#byId.get(id);
    if (call?.isSent && chunks > 0) call.inputCredit = Math.min(MAX_CREDIT, (call.inputCredit ?? 0) + chunks);
  }

  /** P-STREAM-8. */
  #seeInput(message: Extract<FromClient, { readonly type: "input" | "input-end" }>): void {
    const call = this.#sent(message.requestId);
    const { inputCredit } = call;
    if (inputCredit === undefined) return invariant(false, `input of ${message.requestId} is sent before a grant`);
    if (message.type === "input-end") return;
    invariant(message.chunks.length <= inputCredit, `more input of ${message.requestId} is sent than was granted`);
    if (inputCredit !== MAX_CREDIT) call.inputCredit = inputCredit - message.chunks.length;
  }

  #seePartial(call: ModelCall, input: Input): void {
    invariant(call.isSent && input.type === "message", "a request has a partial and was not sent");
    call.hasPartial = true;
    call.granted -= 1;
  }

  /** The client never promises more than it knows, nor less. */
  #seeFailed({ call: id, failure }: FailedEffect, input: Input): void {
    const { attempts } = this.#open(id, "a failure");
    const isOwn = input.type !== "message";
    const wasNotSent = failure.delivery === "not-sent";
    invariant(!isOwn || wasNotSent === (attempts === 0), `sent ${attempts} times, and ends with ${failure.delivery}`);
    this.#end(id);
  }

  /** The link did not accept the request, or returned it unsent. */
  #return(call: ModelCall | undefined): void {
    if (call === undefined || !call.isSent) return;
    call.isSent = false;
    call.attempts -= 1;
  }

  #current(): ModelCall | undefined {
    return [...this.#byCall.values()].find(({ isSent }) => isSent);
  }

  #sent(id: RequestId): ModelCall {
    const call = this.#byId.get(id);
    if (!call?.isSent)
      throw new Error(`broken invariant: a message is sent about ${id}, which this broker does not have`);
    return call;
  }

  #open(id: CallId, effect: string): ModelCall {
    const call = this.#byCall.get(id);
    if (call === undefined) throw new Error(`broken invariant: ${effect} of call ${id}, which is not open`);
    return call;
  }

  #end(id: CallId): void {
    this.#byId.delete(this.#open(id, "end").input.message.requestId);
    this.#byCall.delete(id);
  }
}
