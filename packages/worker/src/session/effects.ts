// What goes into a worker's session and what comes out. Inputs come from the link, the clock, the handlers and the
// worker's owner; effects are for the shell to perform, in order, before the next input.

import type { Failure, Frame, FromWorker, LossReason, ToWorker, Violation } from "@pigato/protocol";
import type { Call } from "./calls.ts";

/** A request as the broker hands it to a worker. */
export type WorkerRequest = Extract<ToWorker, { readonly type: "request" }>;

/** What a handler says about its request. */
export type HandlerInput =
  | { readonly type: "partial"; readonly call: Call; readonly body: readonly Frame[]; readonly options: Frame }
  | {
      readonly type: "final";
      readonly call: Call;
      readonly status: number;
      readonly body: readonly Frame[];
      readonly options: Frame;
    }
  | { readonly type: "reject"; readonly call: Call; readonly reason: Frame };

export type Input =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  | { readonly type: "tick" }
  | { readonly type: "link-up" }
  | { readonly type: "link-down" }
  | { readonly type: "message"; readonly message: ToWorker | Violation }
  /** The link did not take a message. */
  | { readonly type: "refused"; readonly message: FromWorker; readonly isUrgent: boolean }
  /** The link took a message and then lost it. */
  | { readonly type: "undelivered" }
  /** From now on, `Infinity` is no limit. */
  | { readonly type: "concurrency"; readonly concurrency: number }
  /** The link takes more: let the next thing that the request holds leave, if it may. */
  | { readonly type: "flush"; readonly call: Call }
  /** Somebody asks for a heartbeat out of turn. */
  | { readonly type: "heartbeat" }
  /** A handler says that it still works on its request. */
  | { readonly type: "request-heartbeat"; readonly call: Call }
  | HandlerInput;

export type Effect =
  /** Make a new link, with a new routing id, to this address. */
  | { readonly type: "open"; readonly address: string }
  /** Discard the link. `flush`: once what was sent has been written. */
  | { readonly type: "close"; readonly flush: boolean }
  /** `isUrgent`: may use the link's reserve. A message that the link does not take comes back as `refused`. */
  | { readonly type: "send"; readonly message: FromWorker; readonly isUrgent: boolean }
  /** Give the request to the handlers. */
  | { readonly type: "run"; readonly call: Call; readonly request: WorkerRequest }
  /** More of the reply may leave: first what the request holds, then what its handler writes. */
  | { readonly type: "resume"; readonly call: Call }
  /** The request has ended without its handler, for this reason. */
  | { readonly type: "abort"; readonly call: Call; readonly failure: Failure }
  | { readonly type: "connected" }
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** The broker, or the link, did what it must not. */
  | { readonly type: "trouble"; readonly message: string; readonly violation?: Violation }
  | { readonly type: "stopped" };
