// The inputs of a client's session and its effects, all plain data. A caller is a number here; the shell keeps the callers
// themselves.

import type { CallId, RuntimeEffect, RuntimeInput } from "@pigato/peer/session";
import type { Failure, Frame, FromClient, RequestId, RequestOptions, ToClient, Violation } from "@pigato/protocol";
import type { NoticeState } from "@pigato/protocol/internal";

/** The options of a request, as its client needs them. */
export interface ClientRequestOptions extends RequestOptions {
  /** With `retry`, how many times it may be sent to brokers that may run it; `DEFAULT_ATTEMPTS` if absent. */
  readonly maxAttempts?: number | undefined;
}

export type RequestMessage = Extract<FromClient, { readonly type: "request" }> & {
  readonly options: ClientRequestOptions;
  /** Why its data is too large for the broker, if that is known without its encoding. Then it has no body. */
  readonly excess?: string | undefined;
};

/** Progress of a request, reported to its caller. */
export type Progress =
  /** The request is alive: its worker runs it, or it waits in the broker. */
  { readonly type: "heartbeat" } | { readonly type: "notice"; readonly notice: Notice };

/** A notice of the broker. */
export interface Notice {
  /** `queued`: it waits for a worker; `stored`: it is in the store; `dispatched`: a worker has it. */
  readonly state: NoticeState;
  /** The worker that has it. */
  readonly worker?: string;
}

/** A message of the broker. Batched partials are several messages. */
export type BrokerMessage = Exclude<ToClient, { readonly type: "partials" }>;

/** What concerns the input of all requests. `flush`: the current tick of the event loop ends. `continue`: held chunks may be sent. */
export type FlowEvent = "flush" | "link-slow" | "link-drained" | "continue";

/** A new request. `isPaced`: its caller uses flow control. `source`: of its streamed input, and whether that can start over. */
export interface RequestInput {
  readonly type: "request";
  readonly call: CallId;
  readonly message: RequestMessage;
  readonly isPaced: boolean;
  readonly source?: "once" | "replayable" | undefined;
}

export type Input =
  | RuntimeInput
  | RequestInput
  /** The number of chunks of a reply that were read since the last report; see `report-reads`. */
  | { readonly type: "read"; readonly requestId: RequestId; readonly chunks: number }
  /** The source of a request has given a chunk, or its end. */
  | { readonly type: "input"; readonly requestId: RequestId; readonly chunk: Frame }
  | { readonly type: "input-end"; readonly requestId: RequestId }
  | { readonly type: "input-flow"; readonly event: FlowEvent }
  /** A chunk of a request's input does not match its schema. */
  | {
      readonly type: "input-invalid";
      readonly requestId: RequestId;
      readonly message: string;
      readonly detail: unknown;
    }
  /** The caller cancels. Has no effect on a request that has ended. */
  | { readonly type: "cancel"; readonly requestId: RequestId; readonly reason: unknown }
  /** Notifies the worker that the caller still waits. */
  | { readonly type: "request-heartbeat"; readonly requestId: RequestId }
  /** Sends an extra heartbeat, for a request of any client or for none. */
  | { readonly type: "heartbeat"; readonly requestId: RequestId | undefined }
  | { readonly type: "message"; readonly message: BrokerMessage | Violation }
  /** The link did not accept a request, a grant or input, because its bound is reached. */
  | { readonly type: "send-failed"; readonly message: "request" | "credit" | "input"; readonly requestId: RequestId }
  /** The link accepted a request and returned it unsent. */
  | { readonly type: "undelivered"; readonly requestId: RequestId }
  | { readonly type: "tick" };

export type Effect =
  | RuntimeEffect
  | { readonly type: "send"; readonly message: FromClient }
  /** `options`: those that the worker sent with the reply. */
  | { readonly type: "partial"; readonly call: CallId; readonly value: unknown; readonly options: Frame | undefined }
  | { readonly type: "final"; readonly call: CallId; readonly value: unknown; readonly options: Frame | undefined }
  | { readonly type: "progress"; readonly call: CallId; readonly progress: Progress }
  | { readonly type: "failed"; readonly call: CallId; readonly request: RequestMessage; readonly failure: Failure }
  /** Apply the input `read` when the caller has read this many unreported chunks. */
  | { readonly type: "report-reads"; readonly call: CallId; readonly after: number }
  /** The source of a call must not give more chunks until `resume-input`. At first, it is paused. */
  | { readonly type: "pause-input"; readonly call: CallId }
  | { readonly type: "resume-input"; readonly call: CallId }
  /** The source of a call must start over. It is paused. */
  | { readonly type: "restart-input"; readonly call: CallId }
  /** Apply `flush` at the end of this tick of the event loop. */
  | { readonly type: "flush-soon" }
  /** Apply this input after the inputs that the preceding effects cause. */
  | { readonly type: "defer"; readonly input: Input }
  | { readonly type: "report"; readonly event: SessionEvent };

/** Fails a request, accepted or not. */
export function failed({ call, message }: Pick<RequestInput, "call" | "message">, failure: Failure): Effect {
  return { type: "failed", call, request: message, failure };
}

/** For the log and the `error` event. */
export type SessionEvent =
  | { readonly type: "violation"; readonly violation: Violation }
  /** A message for a request that has ended: both crossed on the wire. */
  | { readonly type: "late"; readonly message: BrokerMessage["type"]; readonly requestId: RequestId }
  /** A message that was never negotiated. */
  | { readonly type: "unsupported"; readonly message: BrokerMessage["type"] };
