// What goes into a worker's session and what comes out. Inputs come from the link, the clock, the handlers and the
// worker's owner; effects are for the shell to perform, in order, before the next input.

import type { Failure, Frame, FromWorker, LossReason, RequestId, ToWorker, Violation } from "@pigato/protocol";

/** A request in flight. The broker's names for it are used as they came; being the same object tells one life's from another's. */
export interface Call {
  readonly address: string;
  readonly requestId: RequestId;
  readonly key: string;
}

/** A request as the broker hands it to a worker. */
export type WorkerRequest = Extract<ToWorker, { readonly type: "request" }>;

export type SessionInput =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  | { readonly type: "tick" }
  | { readonly type: "link-up" }
  | { readonly type: "link-down" }
  | { readonly type: "message"; readonly message: ToWorker | Violation }
  /** The link did not take a message, or took it and then lost it (`undelivered`). */
  | { readonly type: "refused"; readonly message: FromWorker; readonly isUrgent: boolean }
  | { readonly type: "undelivered" }
  | { readonly type: "concurrency"; readonly concurrency: number }
  /** What handlers say. */
  | { readonly type: "heartbeat" }
  | { readonly type: "partial"; readonly call: Call; readonly body: Frame; readonly options: Frame }
  | {
      readonly type: "final";
      readonly call: Call;
      readonly status: number;
      readonly body: Frame;
      readonly options: Frame;
    }
  | { readonly type: "reject"; readonly call: Call; readonly reason: Frame | undefined };

export type SessionEffect =
  /** Make a new link, with a new routing id, to this address. */
  | { readonly type: "open"; readonly address: string }
  /** Close the link, once what was sent has been written. */
  | { readonly type: "close" }
  /** `isUrgent`: may use the link's reserve. A message that the link does not take comes back as `refused`. */
  | { readonly type: "send"; readonly message: FromWorker; readonly isUrgent: boolean }
  /** Give the request to the handlers. */
  | { readonly type: "run"; readonly call: Call; readonly request: WorkerRequest }
  /** The request has ended without its handler, for this reason. */
  | { readonly type: "abort"; readonly call: Call; readonly failure: Failure }
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** The broker, or the link, did what it must not. */
  | { readonly type: "trouble"; readonly message: string }
  | { readonly type: "stopped" };
