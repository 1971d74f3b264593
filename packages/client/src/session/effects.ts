// What a client's session is told and what it answers with. `Caller` is whoever is told about a request; the session
// passes it on and never looks at it.

import type { LossReason } from "@pigato/peer/session";
import type { Failure, FromClient, NoticeState, RequestId, ToClient, Violation } from "@pigato/protocol";
import type { RequestMessage } from "./calls.ts";
import type { Window } from "./window.ts";

/** What a caller may learn of its request before its end. */
export type News =
  /** It is alive: its worker works on it, or the broker still keeps it for one. */
  { readonly type: "heartbeat" } | { readonly type: "notice"; readonly notice: Notice };

/** How far a request has come, as its broker says. */
export interface Notice {
  /** `queued`: it waits for a worker; `stored`: it is kept; `dispatched`: a worker has it. */
  readonly state: NoticeState;
  /** The worker that has it. */
  readonly worker?: string;
}

/** What a broker says. Partial replies that came in one message are told one by one. */
export type Heard = Exclude<ToClient, { readonly type: "partials" }>;

export type Input<Caller> =
  | { readonly type: "start" }
  /** No new requests; end when the open ones have, or when their time is up. */
  | { readonly type: "stop" }
  /** `window`: of a caller that reads at its own pace. */
  | {
      readonly type: "request";
      readonly message: RequestMessage;
      readonly caller: Caller;
      readonly window?: Window | undefined;
    }
  /** Enough was read of a reply for the next grant. */
  | { readonly type: "grant"; readonly requestId: RequestId }
  /** The link refused a grant. */
  | { readonly type: "grant-refused"; readonly requestId: RequestId }
  /** The caller gave up. No effect on a request that has ended. */
  | { readonly type: "cancel"; readonly requestId: RequestId; readonly reason: unknown }
  /** The caller says that it still waits. */
  | { readonly type: "request-heartbeat"; readonly requestId: RequestId }
  /** Somebody asks for a heartbeat out of turn, about a request of any client or about none. */
  | { readonly type: "heartbeat"; readonly requestId: RequestId | undefined }
  | { readonly type: "link-up" }
  | { readonly type: "link-lost"; readonly reason: LossReason }
  | { readonly type: "message"; readonly message: Heard | Violation }
  /** The link refused a request, because its bound is reached. */
  | { readonly type: "refused"; readonly requestId: RequestId }
  /** The link took a request and gave it back: it has not left. */
  | { readonly type: "undelivered"; readonly requestId: RequestId }
  | { readonly type: "tick" };

export type Effect<Caller> =
  /** Make a new link, with a new routing id, to this address. */
  | { readonly type: "open"; readonly address: string }
  /** Discard the link, after writing what it holds if `flush`. */
  | { readonly type: "close"; readonly flush: boolean }
  | { readonly type: "send"; readonly message: FromClient }
  | { readonly type: "partial"; readonly caller: Caller; readonly value: unknown }
  | { readonly type: "final"; readonly caller: Caller; readonly value: unknown }
  | { readonly type: "news"; readonly caller: Caller; readonly news: News }
  | { readonly type: "failed"; readonly caller: Caller; readonly request: RequestMessage; readonly failure: Failure }
  /** The broker answered for the first time in this life of the connection. */
  | { readonly type: "connected" }
  /** A connection on which the broker had answered is gone. */
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** Everything has ended; only a new `start` has any effect from now on. */
  | { readonly type: "stopped" }
  | { readonly type: "report"; readonly event: SessionEvent };

/** What only a log or a watcher wants to know. */
export type SessionEvent =
  | { readonly type: "violation"; readonly violation: Violation }
  /** About a request that has ended: it crossed the end on the wire. */
  | { readonly type: "late"; readonly message: Heard["type"]; readonly requestId: RequestId }
  /** A message that was never negotiated. */
  | { readonly type: "unsupported"; readonly message: Heard["type"] };
