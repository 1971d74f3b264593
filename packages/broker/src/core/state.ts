// Everything the broker's core knows: tables, counters and one phase. Handlers and steps are functions of this state, one
// input and the time. A table has no collaborators: it never calls another table.

import type { Capabilities, PeerId } from "@pigato/protocol";
import {
  announcedBounds,
  BODY_CODEC_NAMES,
  type Deadline,
  Deadlines,
  type DialectTraits,
  type Instant,
  offerOf,
} from "@pigato/protocol/internal";
import type { CoreOptions } from "./core-options.ts";
import { EffectQueue } from "./effect-queue.ts";
import type { DialectId } from "./effects.ts";
import { HeldReplyTable } from "./held-reply-table.ts";
import { OpenRequests } from "./open-requests.ts";
import { PinnedRequests } from "./pinned-requests.ts";
import type { ClientRecord, QueuedRequest, WorkerRecord } from "./queued-request.ts";
import { ReplyCache } from "./reply-cache.ts";
import { RequestCounts } from "./request-counts.ts";
import { ServiceTable } from "./service-table.ts";
import { StoredRequestTable } from "./stored-request-table.ts";
import type { Timer } from "./timer.ts";

export type Phase =
  | { readonly name: "serving" }
  /** New requests and workers are refused; at the limit the remaining requests end. */
  | { readonly name: "draining"; readonly limit: Deadline<Timer> }
  | { readonly name: "drained" };

/** When the directory is announced next (directory.ts). */
export interface DirectorySchedule {
  /** Whether something changed since the last announcement. */
  isStale: boolean;
  isScheduled: boolean;
  /** The end of the pause after the last announcement. */
  notBefore: Instant;
  readonly timer: Deadline<Timer>;
}

/** A request that its worker cannot get: it is too large, or the worker does not support its codec or its input. */
export interface UnsendableRequest {
  readonly request: QueuedRequest;
  /** The reason, for its failure. */
  readonly why: string;
  /** The capability that the worker lacks (P-FAIL-7); `undefined` if the request is too large. */
  readonly missing: string | undefined;
}

export interface CoreState {
  readonly options: CoreOptions;
  /** When the current input came. */
  now: Instant;
  /** What this broker can do beyond the classic wire. */
  readonly capabilities: Capabilities;
  readonly effects: EffectQueue;
  readonly timers: Deadlines<Timer>;
  readonly open: OpenRequests<QueuedRequest>;
  readonly pinned: PinnedRequests<QueuedRequest>;
  readonly services: ServiceTable;
  readonly workers: Map<PeerId, WorkerRecord>;
  /** How many services the workers offer, each worker for itself. */
  registrations: number;
  readonly clients: Map<PeerId, ClientRecord>;
  /** The identities of connected peers that are authenticated. */
  readonly identities: Map<PeerId, string>;
  /** Clients that are gone and have persistent requests open. */
  readonly awayClients: Map<PeerId, ClientRecord>;
  readonly replyCache: ReplyCache;
  readonly storedRequests: StoredRequestTable;
  readonly heldReplies: HeldReplyTable;
  readonly directory: DirectorySchedule;
  readonly counts: RequestCounts;
  /** Requests that were given to a worker in this step that cannot get them. */
  readonly unsendable: UnsendableRequest[];
  phase: Phase;
  /** How many requests workers hold. */
  inFlight: number;
  /** The number of the request that came last. */
  lastNumber: number;
  /** How many requests came without an id. */
  withoutId: number;
}

export function createState(options: CoreOptions): CoreState {
  const timers = new Deadlines<Timer>();
  return {
    options,
    now: 0,
    capabilities: offerOf("broker", {
      heartbeatMs: options.heartbeatMs,
      codecs: BODY_CODEC_NAMES,
      ...announcedBounds(options),
    }),
    effects: new EffectQueue(),
    timers,
    open: new OpenRequests<QueuedRequest>(options.random),
    pinned: new PinnedRequests<QueuedRequest>(),
    services: new ServiceTable(options),
    workers: new Map(),
    registrations: 0,
    clients: new Map(),
    identities: new Map(),
    awayClients: new Map(),
    replyCache: new ReplyCache(options, timers),
    storedRequests: new StoredRequestTable(),
    heldReplies: new HeldReplyTable(options, timers),
    directory: {
      isStale: false,
      isScheduled: false,
      notBefore: Number.NEGATIVE_INFINITY,
      timer: timers.entry({ kind: "directory" }),
    },
    counts: new RequestCounts(),
    unsendable: [],
    phase: { name: "serving" },
    inFlight: 0,
    lastNumber: 0,
    withoutId: 0,
  };
}

/** How peers of a dialect behave. The shell names only dialects that it has put into the options. */
export function traitsOf({ options }: CoreState, dialect: DialectId): DialectTraits {
  const traits = options.dialects[dialect];
  if (traits === undefined) throw new Error(`the core knows no dialect "${dialect}"`);
  return traits;
}

/** Every open request. Walks all clients: only for draining. */
export function everyOpenRequest({ clients, awayClients }: CoreState): QueuedRequest[] {
  const all: QueuedRequest[] = [];
  for (const table of [clients, awayClients]) {
    for (const client of table.values()) for (const request of client.requests) all.push(request);
  }
  return all;
}
