// The rows of the core's tables. Each fact has one owner; the others hold references and never change it.

import {
  type Capabilities,
  type Deadline,
  type Deadlines,
  type DialectTraits,
  type Frame,
  type FromClient,
  type Indexed,
  type Instant,
  MAX_CREDIT,
  NO_CAPABILITIES,
  type PeerId,
  type RequestId,
  type RequestOptions,
  type Rhythm,
  type ServiceName,
  UNKNOWN_RHYTHM,
} from "@pigato/protocol";
import type { HeldForClient } from "./answers.ts";
import { type DeclinedEntry, DeclinedQueue } from "./declined.ts";
import type { DialectId } from "./effects.ts";
import type { Leased } from "./lease.ts";
import type { RangeName } from "./names.ts";
import { type OpenRequests, RequestsOfClient } from "./open-requests.ts";
import type { Level, Policy } from "./policy.ts";
import type { CachedReply } from "./reply-cache.ts";
import { RequestList } from "./request-list.ts";
import { RouteHeap } from "./route-heap.ts";

/** Whatever may be due at a time. */
export type Due =
  | Request
  | { readonly kind: "client-lease"; readonly client: Client }
  | { readonly kind: "answers-due"; readonly client: Client }
  | { readonly kind: "worker-lease"; readonly worker: Worker }
  | { readonly kind: "worker-settling"; readonly worker: Worker }
  | { readonly kind: "cached-reply"; readonly reply: CachedReply }
  | { readonly kind: "announcement" }
  | { readonly kind: "drain-limit" };

/** Where a request waits. */
export type Waiting =
  | { readonly at: "route"; readonly queue: RequestList }
  | { readonly at: "target"; readonly queue: RequestList; readonly worker: Worker }
  | { readonly at: "declined"; readonly queue: DeclinedQueue };

/**
 * Where an open request is: in exactly one queue, with one worker, on its way into the store, or answered and waiting for
 * its client.
 */
export type Place =
  | Waiting
  | { readonly at: "store" }
  | { readonly at: "client" }
  | { readonly at: "worker"; readonly worker: Worker }
  | { readonly at: "nowhere" };

export const NOWHERE: Place = Object.freeze({ at: "nowhere" });

export const STORE: Place = Object.freeze({ at: "store" });

export const AT_CLIENT: Place = Object.freeze({ at: "client" });

export class Client implements Leased {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  capabilities: Capabilities = NO_CAPABILITIES;
  readonly requests: RequestsOfClient;
  /** Whether it is gone, and has stored requests open. */
  isAway = false;
  /** What is held for it, if anything ever was. */
  held: HeldForClient | undefined;
  /** What is known of the interval at which it sends heartbeats. */
  rhythm: Rhythm = UNKNOWN_RHYTHM;
  /** When its last heartbeat came. */
  heartbeatAt: Instant | undefined;
  /** Milliseconds of silence that count as one interval. */
  leaseMs: number;
  heardAt: Instant = 0;
  missed = 0;
  readonly lease: Deadline<Due>;

  constructor(
    id: PeerId,
    dialect: DialectId,
    traits: DialectTraits,
    leaseMs: number,
    open: OpenRequests,
    deadlines: Deadlines<Due>,
  ) {
    this.id = id;
    this.dialect = dialect;
    this.traits = traits;
    this.leaseMs = leaseMs;
    this.requests = new RequestsOfClient(open);
    this.lease = deadlines.entry({ kind: "client-lease", client: this });
  }
}

export class Worker implements Leased {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly service: Service;
  /** Its service's, at hand: on the way of every request, and a look at the service costs as much as all else there. */
  readonly policy: Policy;
  readonly capabilities: Capabilities;
  /** The most requests it takes at once; `Infinity` is no limit. */
  concurrency = 0;
  /** False while it is held back because its concurrency is not known yet. */
  isSettled = false;
  /** Whether it is gone, so that it gets nothing more. */
  isRetired = false;
  /** Whether its connection refused a request, so that it gets nothing until it is heard again. */
  isCongested = false;
  /** The requests it holds, oldest dispatch first. */
  readonly inFlight: RequestList = new RequestList();
  /** Requests that wait for this worker and no other. */
  readonly targeted: RequestList = new RequestList();
  /** The last of its service's declined requests that it has passed over. */
  declinedCursor: DeclinedEntry | undefined;
  /** Whether its service's policy holds it, as one with a free slot. */
  isAvailable = false;
  // Where its service's policy keeps it; each policy uses the part it needs.
  previous: Worker | undefined;
  next: Worker | undefined;
  level: Level | undefined;
  index = -1;
  readonly holds: Place = { at: "worker", worker: this };
  readonly awaits: Waiting = { at: "target", queue: this.targeted, worker: this };
  /** The address of a request that it works on although it has ended, if it takes one at a time (D-LIVE-3). */
  abandoned: string | undefined;
  /** Since when it is known to do so. */
  abandonedAt: Instant | undefined;
  rhythm: Rhythm = UNKNOWN_RHYTHM;
  /** When its last heartbeat came. */
  heartbeatAt: number | undefined;
  heardAt: Instant = 0;
  missed = 0;
  readonly lease: Deadline<Due>;
  readonly settling: Deadline<Due>;

  constructor(
    id: PeerId,
    dialect: DialectId,
    traits: DialectTraits,
    service: Service,
    capabilities: Capabilities,
    deadlines: Deadlines<Due>,
  ) {
    this.id = id;
    this.dialect = dialect;
    this.traits = traits;
    this.service = service;
    this.policy = service.available;
    this.capabilities = capabilities;
    this.lease = deadlines.entry({ kind: "worker-lease", worker: this });
    this.settling = deadlines.entry({ kind: "worker-settling", worker: this });
  }

  /** Whether it can take a request now. */
  get hasFreeSlot(): boolean {
    if (!this.isSettled || this.isRetired || this.isCongested || this.abandoned !== undefined) return false;
    return this.inFlight.size < this.concurrency;
  }

  /** Whether it works on something, be it for nobody. */
  get isBusy(): boolean {
    return this.inFlight.size > 0 || this.abandoned !== undefined;
  }
}

/** What workers registered under one name offer. */
export class Service {
  readonly name: ServiceName;
  /** Those of its workers that have a free slot. */
  readonly available: Policy;
  /** How many requests wait here: on its routes, declined, or for one of its workers. */
  waiting = 0;
  /** The names that lead here on which requests for any worker wait. Empty while a worker is available. */
  readonly waitingRoutes: RouteHeap = new RouteHeap();
  /** Requests that some workers have declined, waiting for one that has not. */
  readonly declined: DeclinedQueue = new DeclinedQueue();
  readonly awaitsOthers: Waiting = { at: "declined", queue: this.declined };
  readonly workers: Set<Worker> = new Set();
  /** The names that lead here. */
  readonly routes: Set<Route> = new Set();

  constructor(name: ServiceName, available: Policy) {
    this.name = name;
    this.available = available;
  }
}

/** A name that clients ask for. */
export class Route {
  readonly name: ServiceName;
  /** What its name says it asks for, if that is a version within a range. */
  readonly range: RangeName | undefined;
  /** Where it leads at this moment. */
  service: Service;
  /** Whether that is the service of exactly this name. */
  isOwn = false;
  /** How many of its requests are open, waiting or not. */
  open = 0;
  /** How many of its requests wait, in whichever queue, also for one worker of another service. */
  waiting = 0;
  // Whether it is among the kept, and was asked for again since it was last looked at there: their business.
  isKept = false;
  isAskedAgain = false;
  /** Requests for any worker, oldest first. */
  readonly queue: RequestList = new RequestList();
  readonly awaits: Waiting = { at: "route", queue: this.queue };
  // Its place among the routes that have requests waiting, and the number of the first of these: that heap's business.
  heapIndex = -1;
  turn = 0;

  constructor(name: ServiceName, service: Service, range?: RangeName) {
    this.name = name;
    this.service = service;
    this.range = range;
  }

  /** Whether something is open on it, or offered under its name. */
  get isNeeded(): boolean {
    return this.open > 0 || this.isOwn;
  }
}

export class Request implements Deadline<Due>, Indexed {
  readonly kind = "request";
  /** Its place in the order of arrival; of one that is stored, the order of being stored. */
  number: number;
  /** Its place in the array of the open requests. */
  index = -1;
  /** The salted hash of its id: the business of `IdIndex`. */
  hash = 0;
  // Its neighbours among its client's requests: that list's business.
  older: Request | undefined;
  newer: Request | undefined;
  /** The token by which workers know it (P-ADDR-2); empty until one does. */
  address = "";
  readonly client: Client;
  readonly id: RequestId;
  readonly route: Route;
  readonly body: readonly Frame[];
  readonly isRaw: boolean;
  readonly trailer: readonly Frame[];
  readonly bytes: number;
  readonly options: RequestOptions;
  /** What a worker that is sent it may send before more is granted; `MAX_CREDIT` where the reply is not paced. */
  credit: number;
  place: Place = NOWHERE;
  // Its neighbours in the queue in which it waits, or at the worker that holds it: that list's business.
  before: Request | undefined;
  after: Request | undefined;
  // It is its own deadline, one object less for each that waits: these are the business of `Deadlines`.
  at: Instant = Number.POSITIVE_INFINITY;
  list: Deadline<Due>["list"];
  timerPrev: Deadline<Due> | undefined;
  timerNext: Deadline<Due> | undefined;
  /** Workers that declined it. */
  rejectedBy: Set<Worker> | undefined;
  /** Whether the worker that holds it got it; `undefined` while nobody has said. */
  isReceived: boolean | undefined = undefined;
  /** Whether a worker was lost that may have run it. */
  mayHaveRun = false;
  /** Whether a part of the reply has gone to the client: from then on it cannot start over. */
  hasPartial = false;

  constructor(number: number, client: Client, route: Route, message: FromClient & { readonly type: "request" }) {
    this.number = number;
    this.client = client;
    this.id = message.requestId;
    this.route = route;
    this.body = message.body;
    this.isRaw = message.isRaw ?? false;
    this.trailer = message.trailer;
    this.bytes = bytesOf(message.body) + bytesOf(message.trailer);
    this.options = message.options;
    this.credit = (client.capabilities.credit ? message.credit : undefined) ?? MAX_CREDIT;
  }

  /** Whether its client grants the chunks of its reply bit by bit (P-STREAM-3). */
  get isPaced(): boolean {
    return this.credit !== MAX_CREDIT;
  }

  /** Tells its id from the same one of another client. */
  get salt(): number {
    return this.client.requests.salt;
  }

  /** The service as the client named it. */
  get name(): ServiceName {
    return this.route.name;
  }

  get owner(): Request {
    return this;
  }
}

function bytesOf(frames: readonly Frame[]): number {
  let bytes = 0;
  for (const frame of frames) bytes += frame.length;
  return bytes;
}
