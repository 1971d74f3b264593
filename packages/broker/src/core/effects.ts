// The interface of the broker's core: the inputs that it handles, the effects that the shell performs, and the events that
// it reports. All of them are data, so that inputs can be stored and replayed.

import type {
  Capabilities,
  FailureCode,
  FromClient,
  FromWorker,
  PeerId,
  ServiceName,
  ToClient,
  ToWorker,
  Violation,
} from "@pigato/protocol";
import type { DirectorySnapshot, Role } from "@pigato/protocol/internal";
import type { StoredRequest } from "./stored-request.ts";

/** The id of a dialect (`BrokerDialect.id`). */
export type DialectId = string;

/** What a worker sends about one request. */
export type AddressedMessage = Extract<FromWorker, { readonly address: string }>;

export type Input =
  | {
      readonly type: "from-client";
      readonly from: PeerId;
      readonly message: FromClient;
      readonly dialect: DialectId;
      /** Where it connects from, if that is known; only with a heartbeat for a worker. */
      readonly host?: string | undefined;
    }
  | {
      readonly type: "from-worker";
      readonly from: PeerId;
      readonly message: FromWorker;
      readonly dialect: DialectId;
      /** Where it connects from, if that is known; only with a READY. */
      readonly host?: string | undefined;
    }
  /** At a listener for workers. */
  | {
      readonly type: "client-at-backend";
      readonly from: PeerId;
      readonly message: FromClient;
      readonly dialect: DialectId;
      readonly host?: string | undefined;
    }
  /** At a listener for clients. */
  | {
      readonly type: "worker-at-frontend";
      readonly from: PeerId;
      readonly message: FromWorker;
      readonly dialect: DialectId;
      readonly host?: string | undefined;
    }
  /** Frames that did not decode; role and dialect are undefined if they are unknown. */
  | {
      readonly type: "violation";
      readonly from: PeerId;
      readonly role: Role | undefined;
      readonly dialect: DialectId | undefined;
      readonly violation: Violation;
    }
  /** A request that exceeds what the broker accepts. Its payload is missing. */
  | {
      readonly type: "oversized-request";
      readonly from: PeerId;
      readonly message: FromClient & { readonly type: "request" };
      readonly dialect: DialectId;
      /** The size and the bound. */
      readonly detail: string;
    }
  /** A worker's message about a request that exceeds what the broker accepts. */
  | {
      readonly type: "oversized-reply";
      readonly from: PeerId;
      readonly message: AddressedMessage;
      readonly dialect: DialectId;
      readonly detail: string;
    }
  /** A message to a client could not be delivered. */
  | {
      readonly type: "undelivered-to-client";
      readonly to: PeerId;
      readonly message: ToClient;
      readonly reason: UndeliveredReason;
    }
  /** The connection took everything that was sent before a `confirm`, except what was reported as undelivered. */
  | { readonly type: "handed-over"; readonly address: string }
  /** A request to a worker could not be delivered, named by its address token. */
  | {
      readonly type: "request-undelivered";
      readonly to: PeerId;
      readonly address: string;
      readonly reason: UndeliveredReason;
    }
  /**
   * A grant or input could not be delivered to a worker because the worker reads too slowly. The request is named by its address
   * token.
   */
  | {
      readonly type: "stream-undelivered";
      readonly to: PeerId;
      readonly address: string;
      readonly what: "grant" | "input";
    }
  /** Bytes of a message that is not whole yet came from a peer. */
  | { readonly type: "receiving"; readonly from: PeerId }
  /** A peer connected and was authenticated. Comes before its messages. */
  | { readonly type: "identified"; readonly peer: PeerId; readonly identity: string }
  /** The connection of a peer is gone. */
  | { readonly type: "peer-down"; readonly peer: PeerId }
  /** The broker is reachable from now on. */
  | { readonly type: "start" }
  /** A request that the store held when the broker started; comes before all other inputs. */
  | {
      readonly type: "restore";
      readonly key: string;
      readonly request: StoredRequest;
      /** How long it has been stored, in milliseconds. */
      readonly ageMs: number;
    }
  /** A `store` effect settled. */
  | { readonly type: "stored"; readonly key: string }
  | { readonly type: "store-failed"; readonly key: string; readonly reason: string }
  /** A `delete` effect settled. */
  | { readonly type: "deleted"; readonly key: string }
  | { readonly type: "delete-failed"; readonly key: string; readonly reason: string }
  | { readonly type: "tick" }
  /** Refuse new requests and workers; finish the open requests within `limitMs`. */
  | { readonly type: "drain"; readonly limitMs: number };

/**
 * `unreachable`: the peer is gone. Its `peer-down` comes after everything else that could not be delivered to it.
 * `congested`: the peer is present but reads too slowly.
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
       * This input's effects contain an earlier message of the same reply. If that send failed, the shell must not send this
       * message and reports it as undelivered, too, so that the client never gets a reply with a gap.
       */
      readonly isContinuation: boolean;
    }
  | {
      readonly type: "to-worker";
      readonly to: PeerId;
      readonly message: ToWorker;
      readonly dialect: DialectId;
    }
  /** Answered by `handed-over`, after the failed sends of everything before. */
  | { readonly type: "confirm"; readonly address: string }
  /** Publishes the directory of services to subscribers; replaces the last one. */
  | { readonly type: "announce"; readonly snapshot: DirectorySnapshot }
  /** Stores a request under a new key, or anew under its key; answered by `stored` or `store-failed`. */
  | { readonly type: "store"; readonly key: string; readonly request: StoredRequest }
  /** Deletes a stored request; answered by `deleted` or `delete-failed`. */
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "report"; readonly event: BrokerEvent }
  /** No request is open any more: the shell may close. Follows a `drain`, once. */
  | { readonly type: "drained" };

/** What happened, for logs, metrics and listeners. Never needed for correctness. */
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
  /** A request ended without a final reply of a worker. */
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
  /** The reply to a persistent request, or a part of it, is held because its client is away. */
  | {
      readonly type: "reply-held";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** A held reply was sent to its client, which reconnected. */
  | {
      readonly type: "reply-delivered";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
    }
  /** The store failed to store or to delete a request. */
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
  /** A request lost `maxDispatches` workers in turn and is not dispatched again. Its `request-failed` follows. */
  | {
      readonly type: "request-exhausted";
      readonly client: PeerId;
      readonly service: ServiceName;
      readonly requestId: string;
      /** The last of the lost workers. */
      readonly worker: PeerId;
      readonly dispatches: number;
    }
  | {
      readonly type: "violation";
      readonly peer: PeerId;
      readonly role: Role | undefined;
      readonly violation: Violation;
    }
  /** A valid message without effect. */
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
  /** A heartbeat for a worker from a peer that is not known to be in the process of that worker (P-HB-5). */
  | "foreign-worker"
  /** A second request under the id of an open one. */
  | "duplicate-id"
  /** A cancel, heartbeat, grant or input for a request that is not open. */
  | "not-open"
  /** Credit or input that was not negotiated, that the request did not announce, or that goes the wrong way. */
  | "unsupported"
  /** A grant of 0 chunks, or for a reply without flow control. */
  | "void-credit"
  /** A `null` partial for a client that would take it for the end of its stream. */
  | "null-partial"
  /** A partial for a client whose dialect has no partials. */
  | "no-partials"
  /** A worker registers although the table is full. */
  | "too-many-workers"
  /** A worker registers for more services than one worker may offer. */
  | "too-many-services"
  | "already-registered"
  /** A worker registers under a name that the broker serves itself, or that needs a connection of its own. */
  | "reserved-name"
  /** A peer speaks another dialect than in its first message. */
  | "other-dialect"
  /** A failure or reply that its client will not get. */
  | "undelivered";
