// Everything that can be due. Timers name records by id, so that they are plain data, except requests: a request is its own
// timer (queued-request.ts), which saves one object for each request that waits.

import type { PeerId } from "@pigato/protocol";

export type Timer =
  /** The timeout of a request. It is an instance of `QueuedRequest`. */
  | { readonly kind: "request" }
  /** A present client may have been silent for an interval. */
  | { readonly kind: "client-lease"; readonly client: PeerId }
  /** An away client may be forgotten. */
  | { readonly kind: "away-lease"; readonly client: PeerId }
  /** A client that reconnected has had time to repeat its requests. */
  | { readonly kind: "held-replies"; readonly client: PeerId }
  /** A worker may have been silent for an interval. */
  | { readonly kind: "worker-lease"; readonly worker: PeerId }
  /** A worker that announced no concurrency has been waited for long enough. */
  | { readonly kind: "worker-settling"; readonly worker: PeerId }
  | { readonly kind: "cached-reply"; readonly key: string }
  | { readonly kind: "directory" }
  | { readonly kind: "drain-limit" };
