// The inputs and effects that the sessions of a client and a worker share. `PeerRuntime` applies and performs them.

import type { LossReason } from "./connection.ts";

/** The id of a request outside of the session. Never reused. */
export type CallId = number;

export type RuntimeInput =
  | { readonly type: "start" }
  /** Accept no new work; end when everything open has ended, or at the time limit. */
  | { readonly type: "stop" }
  /** `announcement`: what the broker announced in its handshake. */
  | { readonly type: "link-up"; readonly announcement?: string | undefined }
  /** Bytes of a message came that is not whole yet. */
  | { readonly type: "receiving" }
  /** The link could not connect, and tries again. */
  | { readonly type: "attempt-failed" }
  | { readonly type: "link-lost"; readonly reason: LossReason };

export type RuntimeEffect =
  /** Open a new link, with a new routing id, to this address. */
  | { readonly type: "open"; readonly address: string }
  /** Discard the link. `flush`: after sent messages are written. */
  | { readonly type: "close"; readonly flush: boolean }
  /** The broker answered for the first time on this connection. */
  | { readonly type: "connected" }
  /** A connection with an answer of the broker is lost. */
  | { readonly type: "disconnected"; readonly reason: LossReason }
  /** Everything has ended; only a new `start` has an effect. */
  | { readonly type: "stopped" };
