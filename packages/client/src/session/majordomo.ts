// The requests of a client that speaks Majordomo. A reply carries no id, so the broker gets one request at a time and the
// others wait (D-PEER-1). The broker sends only replies, so only the link or a request's timeout shows its loss (D-PEER-2). A
// late reply to an ended request could be mistaken for the reply to the next one, so the client then continues on a new link
// with a new id.

import type { Connection, LossReason } from "@pigato/peer/session";
import type { Failure, ToClient, Violation } from "@pigato/protocol";
import { type Instant, readRawBody, violation } from "@pigato/protocol/internal";
import { type Call, Calls } from "./calls.ts";
import type { BrokerMessage, Effect, RequestInput } from "./effects.ts";
import { brokerLost, canceled, congested, deadlineExceeded, timedOut } from "./failures.ts";
import { type Exchange, type ExchangeInput, Session, type SessionOptions } from "./session.ts";

type Reply = Extract<ToClient, { readonly type: "partial" | "final" }>;

/** No heartbeats exist between a client and a Majordomo broker, in either direction. */
export function majordomoSession(options: SessionOptions): Session {
  const connection = { ...options.connection, heartbeatMs: Number.POSITIVE_INFINITY, brokerAnswers: false };
  return new Session({ ...options, connection }, MajordomoExchange);
}

class MajordomoExchange implements Exchange {
  readonly #connection: Pick<Connection, "phase">;
  readonly #emit: (effect: Effect) => void;
  readonly calls: Calls;
  readonly knownBounds = undefined;
  /** The request that is with the broker. */
  #current: Call | undefined;

  constructor({ limits }: SessionOptions, connection: Pick<Connection, "phase">, emit: (effect: Effect) => void) {
    this.#connection = connection;
    this.#emit = emit;
    this.calls = new Calls({ ...limits, hasStableId: false }, emit);
  }

  get openCount(): number {
    return this.calls.size;
  }

  nextDeadline(): Instant | undefined {
    return this.calls.nextDeadline();
  }

  get mayWakeEarlier(): boolean {
    return this.calls.mayWakeEarlier;
  }

  handle(input: ExchangeInput, now: Instant): LossReason | undefined {
    switch (input.type) {
      case "request":
        this.#accept(input, now);
        return undefined;
      case "cancel": {
        const call = this.calls.get(input.requestId);
        return call && this.#giveUp(call, canceled(call.message, call.delivery, input.reason));
      }
      case "message":
        this.#onMessage(input.message, now);
        return undefined;
      case "send-failed":
        this.#onSendFailed();
        return undefined;
      case "undelivered":
        return this.#onUndelivered();
      case "tick":
        return this.#onTick(now);
      case "heartbeat":
      // Not carried by the dialect, so no request has input.
      case "input":
      case "input-end":
      case "input-invalid":
      case "input-flow":
      case "request-heartbeat":
      case "read":
        // The client rejects these earlier, because the wire has no frames for them.
        return undefined;
      default:
        return input satisfies never;
    }
  }

  isFromBroker({ type }: BrokerMessage | Violation): boolean {
    return type === "partial" || type === "final";
  }

  onLinkUp(): void {}

  greet(): void {}

  heartbeat(): void {}

  onLost(reason: LossReason): void {
    if (this.#current !== undefined) this.#fail(this.#current, brokerLost(this.#current, reason));
  }

  /** Sends the request that waits longest, unless one is with the broker. */
  settle(now: Instant): void {
    if (this.#current !== undefined || this.#connection.phase !== "open") return;
    const call = this.calls.takeNextWaiting();
    if (call === undefined) return;
    this.#current = call;
    this.calls.onSent(call, now);
    this.#emit({ type: "send", message: call.message });
  }

  close(): void {
    this.calls.close();
    this.#current = undefined;
  }

  #accept(input: RequestInput, now: Instant): void {
    const call = this.calls.accept(input, this.#current !== undefined || this.#connection.phase !== "open");
    if (call === undefined) return;
    const { deadlineMs } = input.message;
    if (deadlineMs !== undefined) call.deadlineAt = now + deadlineMs;
    this.calls.startTimer(call, now);
    this.calls.keepWaiting(call);
  }

  #onMessage(message: BrokerMessage | Violation, now: Instant): void {
    switch (message.type) {
      case "partial":
      case "final":
        return this.#onReply(message, now);
      case "violation":
        return this.#report(message);
      default:
        // The dialect decodes nothing else.
        return this.#emit({ type: "report", event: { type: "unsupported", message: message.type } });
    }
  }

  #onReply({ type, service, body }: Reply, now: Instant): void {
    const call = this.#current;
    if (call === undefined || service !== call.message.service) {
      const expected = call === undefined ? "no request is open" : "it is from another service";
      return this.#report(violation("D-PEER-5", `a reply without an open request: ${expected}`));
    }
    const value = readRawBody(body);
    if (type === "final") {
      this.calls.end(call);
      this.#current = undefined;
      return this.#emit({ type: "final", call: call.call, value, options: undefined });
    }
    call.hasPartial = true;
    this.calls.startTimer(call, now);
    this.#emit({ type: "partial", call: call.call, value, options: undefined });
  }

  #onSendFailed(): void {
    const call = this.#current;
    if (call === undefined) return;
    call.returns += 1;
    this.#fail(call, congested(call.message, call.delivery));
  }

  /** The link returned the request: it is sent again on a new link. */
  #onUndelivered(): LossReason | undefined {
    const call = this.#current;
    if (call === undefined) return undefined;
    call.returns += 1;
    this.#current = undefined;
    this.calls.keepWaiting(call);
    return "unreachable";
  }

  #onTick(now: Instant): LossReason | undefined {
    let lost: LossReason | undefined;
    for (let call = this.calls.takeDue(now); call !== undefined; call = this.calls.takeDue(now)) {
      const failure = call.isDeadlineOver(now) ? deadlineExceeded(call) : timedOut(call);
      lost = this.#giveUp(call, failure) ?? lost;
    }
    return lost;
  }

  /** Ends a request that the broker may still have. */
  #giveUp(call: Call, failure: Failure): LossReason | undefined {
    const wasSent = call === this.#current;
    this.#fail(call, failure);
    return wasSent ? "abandoned" : undefined;
  }

  #fail(call: Call, failure: Failure): void {
    if (call === this.#current) this.#current = undefined;
    this.calls.fail(call, failure);
  }

  #report(broken: Violation): void {
    this.#emit({ type: "report", event: { type: "violation", violation: broken } });
  }
}
