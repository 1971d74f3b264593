// The inputs of a worker's session and its effects, all plain data. Inputs come from the link, the clock, the handlers and the
// user of the worker. The shell performs the effects in order, before the next input.

import type { CallId, RuntimeEffect, RuntimeInput } from "@pigato/peer/session";
import type { DisconnectReason, Failure, Frame, FromWorker, ServiceName, ToWorker, Violation } from "@pigato/protocol";
import type { BodyCodecName } from "@pigato/protocol/internal";

/** A request that the broker dispatched to this worker. */
export type WorkerRequest = Extract<ToWorker, { readonly type: "request" }>;

export interface PartialInput {
  readonly type: "partial";
  readonly call: CallId;
  readonly body: readonly Frame[];
  readonly options: Frame;
  /** Why it is too large for the broker, if that is known without its encoding. Then it has no body. */
  readonly excess?: string | undefined;
}

export interface FinalInput {
  readonly type: "final";
  readonly call: CallId;
  readonly status: number;
  readonly body: readonly Frame[];
  readonly options: Frame;
  /** As of a partial. */
  readonly excess?: string | undefined;
}

/** How many chunks of input the handler has read since its last report; 0 for the first look at it. See `report-reads`. */
export interface ReadInput {
  readonly type: "input-read";
  readonly call: CallId;
  readonly chunks: number;
}

/** What a handler does with its request. */
export type HandlerInput =
  | ReadInput
  | PartialInput
  | FinalInput
  | { readonly type: "reject"; readonly call: CallId; readonly reason: Frame }
  /** Notify the client that the request still runs. */
  | { readonly type: "request-heartbeat"; readonly call: CallId };

export type Input =
  | RuntimeInput
  | { readonly type: "tick" }
  /** The link accepted a message and asks for no further partials until `link-drained`. */
  | { readonly type: "link-slow" }
  | { readonly type: "link-drained" }
  | { readonly type: "message"; readonly message: ToWorker | Violation }
  /** A message that is too large, without its payload. `detail`: the size and the bound. */
  | { readonly type: "oversized"; readonly message: ToWorker | Violation; readonly detail: string }
  /** The link did not accept a message. */
  | { readonly type: "send-failed"; readonly message: FromWorker; readonly isUrgent: boolean }
  /** The link accepted a message and then lost it. */
  | { readonly type: "undelivered" }
  /** The new limit; `Infinity` for no limit. */
  | { readonly type: "concurrency"; readonly concurrency: number }
  /** Offer a further service, on this connection and on later ones. */
  | { readonly type: "offer"; readonly service: ServiceName }
  /** Send an extra heartbeat. */
  | { readonly type: "heartbeat" }
  /** The current tick of the event loop ends, after `flush-soon`. */
  | { readonly type: "flush" }
  /** Waiting messages may be sent, after a `defer`. */
  | { readonly type: "continue" }
  | HandlerInput;

/** What happened to the services that the worker offers besides its first one. */
export type ServiceEffect =
  /** Whether the connection carries them, once the broker has answered; with `false`, again for each that is added. */
  | { readonly type: "services"; readonly isShared: boolean }
  | { readonly type: "service-accepted"; readonly service: ServiceName }
  | { readonly type: "service-refused"; readonly service: ServiceName; readonly reason: DisconnectReason };

export type Effect =
  | ServiceEffect
  | RuntimeEffect
  /** `isUrgent`: may use the link's reserve. A message that the link does not accept returns as `send-failed`. */
  | { readonly type: "send"; readonly message: FromWorker; readonly isUrgent: boolean }
  /** Call the handlers. `codec` is the one of the reply, if it is not JSON. `hasInput`: the handler may read streamed input. */
  | {
      readonly type: "run";
      readonly call: CallId;
      readonly request: WorkerRequest;
      readonly codec: BodyCodecName | undefined;
      readonly hasInput: boolean;
    }
  /** Chunks of the request's input, in order. */
  | { readonly type: "input"; readonly call: CallId; readonly chunks: readonly Frame[] }
  | { readonly type: "input-end"; readonly call: CallId }
  /** Apply `input-read` when the handler has read this many unreported chunks. */
  | { readonly type: "report-reads"; readonly call: CallId; readonly after: number }
  /** The handler should not write more until `drain`. */
  | { readonly type: "pause"; readonly call: CallId }
  | { readonly type: "drain"; readonly call: CallId }
  /** The handler's final message has been sent. */
  | { readonly type: "finished"; readonly call: CallId }
  /** The request has ended without its handler. */
  | { readonly type: "abort"; readonly call: CallId; readonly failure: Failure }
  /** Apply the input `flush` at the end of this tick of the event loop. */
  | { readonly type: "flush-soon" }
  /**
   * Apply this input after the inputs that the preceding effects cause (`sent`), or also after the user code that they call
   * (`notified`).
   */
  | { readonly type: "defer"; readonly input: Input; readonly until: "sent" | "notified" }
  /** The broker refused to register the worker, and perhaps said why. Not repeated for the same reason. */
  | { readonly type: "registration-refused"; readonly reason: DisconnectReason | undefined }
  /** A fault of the broker or of the link. */
  | { readonly type: "report"; readonly message: string; readonly violation?: Violation };

export type Effects = readonly Effect[];

export const NO_EFFECTS: Effects = Object.freeze([]);
