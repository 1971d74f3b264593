// The two unions between the broker's core and the world: what can happen to it, and what it wants done.

import type {
  Capabilities,
  DirectorySnapshot,
  FailureCode,
  FromClient,
  FromWorker,
  PeerId,
  Role,
  ServiceName,
  ToClient,
  ToWorker,
  Violation,
} from "@pigato/protocol";
import type { StoredRequest } from "./stored-request.ts";

/** The id of a dialect, which is unique within a broker (`BrokerDialect.id`). Inputs and effects are data without functions. */
export type DialectId = string;

export type Input =
  | {
      readonly type: "from-client";
      readonly from: PeerId;
      readonly message: FromClient;
      readonly dialect: DialectId;
    }
  | {
      readonly type: "from-worker";
      readonly from: PeerId;
      readonly message: FromWorker;
      readonly dialect: DialectId;
    }
  /** By a door for workers alone. */
  | {
      readonly type: "client-at-backend";
      readonly from: PeerId;
      readonly message: FromClient;
      readonly dialect: DialectId;
    }
  /** By a door for clients alone. */
  | {
      readonly type: "worker-at-frontend";
      readonly from: PeerId;
      readonly message: FromWorker;
      readonly dialect: DialectId;
    }
  /** Frames that did not decode; role and dialect are undefined where not even that can be told. */
  | {
      readonly type: "violation";
      readonly from: PeerId;
      readonly role: Role | undefined;
      readonly dialect: DialectId | undefined;
      readonly violation: Violation;
    }
  /** A message of ours that a client will not get. */
  | {
      readonly type: "undelivered-to-client";
      readonly to: PeerId;
      readonly message: ToClient;
      readonly reason: UndeliveredReason;
    }
  /** What was sent before a `confirm` was taken by the connection, but for what was told to be undelivered before. */
  | { readonly type: "handed-over"; readonly address: string }
  /** A request that a worker will not get, by the address that it has there. */
  | {
      readonly type: "request-undelivered";
      readonly to: PeerId;
      readonly address: string;
      readonly reason: UndeliveredReason;
    }
  /** A grant that a worker will not get, because it reads too slowly, by the address of its request there. */
  | { readonly type: "credit-undelivered"; readonly to: PeerId; readonly address: string }
  /** A peer's connection is gone. */
  | { readonly type: "peer-down"; readonly peer: PeerId }
  /** It is reachable from now on. */
  | { readonly type: "start" }
  /** What the store held when the broker started; comes before anything else. */
  | { readonly type: "restore"; readonly key: string; readonly request: StoredRequest }
  /** The store has finished with what a `store` asked of it. */
  | { readonly type: "stored"; readonly key: string }
  | { readonly type: "store-failed"; readonly key: string; readonly reason: string }
  /** The store has finished with what a `delete` asked of it. */
  | { readonly type: "deleted"; readonly key: string }
  | { readonly type: "delete-failed"; readonly key: string; readonly reason: string }
  | { readonly type: "tick" }
  /** Take no new work; finish what there is within `limitMs`. */
  | { readonly type: "drain"; readonly limitMs: number };

/**
 * `unreachable`: the peer is gone; its `peer-down` comes next, after everything else of it that did not get through.
 * `congested`: it is there but reads too slowly for what it is sent.
 */
export type UndeliveredReason = "unreachable" | "congested";

export type Effect =
  | {
      readonly type: "to-client";
      readonly to: PeerId;
      readonly message: ToClient;
      readonly capabilities: Capabilities;
      readonly dialect: DialectId;
      /**
       * This input's effects hold an earlier message of the same reply. If that send was refused, this message must not be
       * sent: it counts as refused too, so that the client never gets a reply with a gap.
       */
      readonly isContinuation: boolean;
    }
  | {
      readonly type: "to-worker";
      readonly to: PeerId;
      readonly message: ToWorker;
      readonly dialect: DialectId;
    }
  /** To be answered by `handed-over`, behind all that is known not to be delivered of what was sent before. */
  | { readonly type: "confirm"; readonly address: string }
  /** Tells subscribers who serves what; replaces what they were told before. */
  | { readonly type: "announce"; readonly snapshot: DirectorySnapshot }
  /** Store this under a new key; answered by `stored` or `store-failed`. */
  | { readonly type: "store"; readonly key: string; readonly request: StoredRequest }
  /** Delete what is stored under a key; answered by `deleted` or `delete-failed`. */
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "report"; readonly event: BrokerEvent }
  /** Nothing is open any more: the shell may close. Follows a `drain`, once. */
  | { readonly type: "drained" };

/** What happened, for logs, metrics and whoever watches. Never needed for correctness. */
export type BrokerEvent =
  | { readonly type: "worker-up"; readonly worker: PeerId; readonly service: ServiceName }
  | {
      readonly type: "worker-down";
      readonly worker: PeerId;
      readonly service: ServiceName;
      readonly reason: WorkerDownReason;
    }
  | { readonly type: "client-up"; readonly client: PeerId }
  | { readonly type: "client-down"; readonly client: PeerId; readonly reason: ClientDownReason }
  /** A request ended without a final reply of its worker. */
  | {
      readonly type: "request-failed";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
      readonly code: FailureCode;
    }
  /** A request was answered from the cache. */
  | {
      readonly type: "request-cached";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** A request that was in the store when the broker started is open again. */
  | {
      readonly type: "request-restored";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** The answer to a stored request, or a part of it, is held because its client is away. */
  | {
      readonly type: "answer-held";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** What was held of an answer has gone to its client, which is back. */
  | {
      readonly type: "answer-delivered";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** The store did not store a request, or did not delete one. */
  | {
      readonly type: "store-failed";
      readonly operation: "store" | "delete";
      readonly key: string;
      readonly reason: string;
    }
  | {
      readonly type: "request-requeued";
      readonly service: ServiceName;
      readonly requestId: string;
      readonly worker: PeerId;
    }
  | {
      readonly type: "violation";
      readonly peer: PeerId;
      readonly role: Role | undefined;
      readonly violation: Violation;
    }
  /** A valid message that has no effect. */
  | {
      readonly type: "dropped";
      readonly peer: PeerId;
      readonly reason: DropReason;
      readonly requestId: string | undefined;
    };

export type WorkerDownReason = "left" | "silent" | "gone" | "violation" | "drained";
export type ClientDownReason = "left" | "silent" | "gone" | "congested" | "idle";
export type DropReason =
  /** A reply, partial or reject for a request that the worker does not hold (any more). */
  | "not-held"
  /** A second request under the id of one that is still open. */
  | "duplicate-id"
  /** A cancel, heartbeat or grant for a request that is not open. */
  | "not-open"
  /** Credit that was not negotiated, or travels the wrong way; and streamed input, which is not supported yet. */
  | "unsupported"
  /** A grant of nothing, or for a request whose reply is not paced. */
  | "void-credit"
  /** A `null` partial for a client that would take it as the end of its stream. */
  | "null-partial"
  /** A part of a reply for a client whose dialect has no message for it. */
  | "no-partials"
  /** A worker that registers although the table is full. */
  | "too-many-workers"
  | "already-registered"
  /** A worker that registers under a name that the broker answers to itself. */
  | "reserved-name"
  /** A peer that speaks another dialect than in its first message. */
  | "other-dialect"
  /** A failure or answer that its client will not get; one that was held, and is given up. */
  | "undelivered";
