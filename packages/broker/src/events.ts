// The events of a broker. Names are text; byte strings stay inside the core.

import type { LinkError, Mechanism, RejectionCode } from "@pigato/transport";
import type { ClientDownReason, DropReason, WorkerDownReason } from "./core/effects.ts";
import type { ListenerRole } from "./security.ts";

/** Events of a `Broker`. They are notifications: a listener is never required. */
export interface BrokerEvents {
  /** The broker listens at every address. */
  start: [];
  /** The broker has stopped after `stop()`, or after an `error`. */
  stop: [];
  /** A socket failed. The broker has stopped. */
  error: [error: LinkError];
  /** A worker registered for a service. */
  "worker:join": [event: { readonly worker: string; readonly service: string }];
  /** A worker left or was lost: once for each of its services. The broker requeues its requests or fails them. */
  "worker:leave": [event: { readonly worker: string; readonly service: string; readonly reason: WorkerDownReason }];
  /** A client sent its first message. */
  "client:join": [event: { readonly client: string }];
  /** A client left or was lost. The broker canceled its open requests, except stored ones. */
  "client:leave": [event: { readonly client: string; readonly reason: ClientDownReason }];
  /** A request failed without a final reply of a worker. */
  "request:failed": [event: RequestFailed];
  /** The broker replied to a request from its cache. */
  "request:cached": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker restored a request from its store when it started. */
  "request:restored": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker holds the reply to a stored request, or its first chunk, because the client is not connected. */
  "reply:held": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /** The broker sent a held reply to its client, which has returned. */
  "reply:delivered": [event: { readonly client: string; readonly service: string; readonly requestId: string }];
  /**
   * The store failed. If `store` failed, the request fails with `UNAVAILABLE`; if the request was stored before, only the number of
   * its lost workers is not stored, and it continues. If `delete` failed, the broker runs the request again at its next start.
   */
  "store:failed": [event: { readonly operation: "store" | "delete"; readonly key: string; readonly reason: string }];
  /** A request lost its worker and is queued again. */
  "request:requeued": [event: { readonly service: string; readonly requestId: string; readonly worker: string }];
  /**
   * A request lost `maxDispatches` workers in turn and is not dispatched again: it may be why they died. `worker` is the
   * last of them. `request:failed` follows, with `WORKER_LOST`.
   */
  "request:exhausted": [event: RequestExhausted];
  /**
   * The broker rejected or closed a connection: it was not authorized, or it violated a rule or a bound of the transport.
   * The event contains no key and no password. `cause` is the error of `authenticate`.
   */
  "connection:rejected": [event: ConnectionRejected];
  /** A peer violated the protocol. `clause` is one of docs/reference/protocol.md or dialects.md. */
  violation: [event: { readonly peer: string; readonly clause: string; readonly detail: string }];
  /** The broker dropped a message. */
  drop: [event: { readonly peer: string; readonly reason: DropReason; readonly requestId: string | undefined }];
}

export interface RequestFailed {
  readonly client: string;
  readonly service: string;
  readonly requestId: string;
  readonly code: string;
}

export interface RequestExhausted {
  readonly client: string;
  readonly service: string;
  readonly requestId: string;
  readonly worker: string;
  readonly dispatches: number;
}

export interface ConnectionRejected {
  /** The listener that it connected to. */
  readonly listener: ListenerRole;
  readonly code: RejectionCode;
  /** Why, as text. */
  readonly detail: string;
  /** The mechanism that the peer or the listener requires, if the reason concerns it. */
  readonly mechanism: Mechanism | undefined;
  /** The address of the peer, if the transport knows it; over libzmq without a port. */
  readonly remoteAddress: string | undefined;
  /** The address of the listener, if that of the peer is unknown. */
  readonly localAddress: string | undefined;
  /** The peer's routing id, if it was received. */
  readonly peer: string | undefined;
  /** The error of `authenticate`. */
  readonly cause: unknown;
}
