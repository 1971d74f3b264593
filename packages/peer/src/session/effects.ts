// The inputs and effects that the sessions of a client and a worker have in common. `PeerRuntime` gives and performs them.

import type { LossReason } from "./connection.ts";

/** A request, to everybody outside the session. Never reused. */
export type CallId = number;

export type RuntimeInput =
  | { readonly type: "start" }
  /** Take no new work; end when what is open has, or when its time is up. */
  | { readonly type: "stop" }
  | { readonly type: "link-up" }
  /** The link could not connect, and tries again. */
  | { readonly type: "attempt-failed" }
  | { readonly type: "link-lost"; readonly reason: LossReason };

export type RuntimeEffect =
  /** Make a new link, with a new routing id, to this address. */
  | { readonly type: "open"; readonly address: string }
  /** Discard the link. `flush`: once what was sent has been written. */
  | { readonly type: "close"; readonly flush: boolean }
  /** The broker answered for the first time on this connection. */
  | { readonly type: "connected" }
  /** A connection on which the broker had answered is gone. */
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** Everything has ended; only a new `start` has any effect from now on. */
  | { readonly type: "stopped" };
