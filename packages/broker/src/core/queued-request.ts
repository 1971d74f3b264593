// A request from its acceptance to its end, and its location. The other records refer to requests through a type parameter,
// which avoids import cycles; the aliases at the end bind them to this class.

import {
  type FromClient,
  type FromWorker,
  type RequestId,
  type RequestOptions,
  type ServiceName,
  writeText,
} from "@pigato/protocol";
import {
  costOfFrames,
  type Deadline,
  type Frames,
  type Indexed,
  type Instant,
  MAX_CREDIT,
} from "@pigato/protocol/internal";
import type { ClientRecordOf } from "./client-record.ts";
import type { ClientLinks } from "./open-requests.ts";
import { NO_SLOT, type PinLinks } from "./pinned-requests.ts";
import type { RouteOf } from "./route.ts";
import type { ServiceOf, ServiceRequest } from "./service.ts";
import type { Timer } from "./timer.ts";
import type { RegistrationOf, WorkerRecordOf } from "./worker-record.ts";

export type RequestMessage = FromClient & { readonly type: "request" };
export type PartialMessage = FromWorker & { readonly type: "partial" };
export type PartialsMessage = FromWorker & { readonly type: "partials" };
export type FinalMessage = FromWorker & { readonly type: "final" };

/** The queue in which a request waits. */
export type WaitingLocation = Route["queueLocation"] | Registration["targetLocation"] | Service["rejectedLocation"];

/** Where an open request is: in exactly one place. */
export type RequestLocation =
  | WaitingLocation
  /** A worker holds it. */
  | Registration["heldLocation"]
  /** The store has not confirmed it yet. */
  | { readonly at: "store" }
  /** Its reply is complete, and its client does not have it yet. */
  | { readonly at: "client" }
  /** In transition, within one input. */
  | { readonly at: "nowhere" };

export const NOWHERE: RequestLocation = Object.freeze({ at: "nowhere" });
export const AT_STORE: RequestLocation = Object.freeze({ at: "store" });
export const AT_CLIENT: RequestLocation = Object.freeze({ at: "client" });

/** The input of a request whose client streams it (P-STREAM-7). */
interface RequestInput {
  /** Chunks that its client may send before more are granted. */
  credit: number;
  /** Whether its worker has granted any. From then on, the request cannot start over at another worker. */
  isGranted: boolean;
  hasEnded: boolean;
}

/** What ends a request besides its timeout (request-limits.ts). */
export interface RequestLimits {
  /** Milliseconds from its arrival to its deadline, for the failure. */
  readonly deadlineMs: number;
  readonly deadlineAt: Instant;
  /** Milliseconds that it may wait for a worker, each time that it is queued. */
  readonly acceptMs: number;
  /** Until when it may wait; `Infinity` while it does not. */
  acceptAt: Instant;
  /** When its timeout passes. */
  timeoutAt: Instant;
}

/** What a request counts as besides its id and its frames: about the memory of its record. */
const REQUEST_COST_BYTES = 512;
/** The memory of a route besides its name: its record, its queue and its places in tables. */
const ROUTE_COST_BYTES = 640;

export class QueuedRequest
  implements
    Deadline<Timer>,
    Indexed,
    ClientLinks<QueuedRequest>,
    PinLinks<QueuedRequest>,
    ServiceRequest<QueuedRequest>
{
  readonly kind = "request";
  /** Its place in the order of arrival; for a persistent request, the order in which the store confirmed. */
  number = 0;
  // These belong to the tables of open requests: its index there, the salted hash of its id, the list of its client.
  index = -1;
  hash = 0;
  clientPrev: QueuedRequest | undefined;
  clientNext: QueuedRequest | undefined;
  /** The token by which workers know it (P-ADDR-2); empty until one does. */
  address = "";
  readonly client: ClientRecord;
  readonly id: RequestId;
  readonly route: Route;
  body: Frames;
  readonly isRaw: boolean;
  trailer: Frames;
  /** About the memory that it takes, as the bounds count it. */
  readonly bytes: number;
  readonly options: RequestOptions;
  /** Whether its client negotiated `methods`, so that the broker acts on its method and its codec. */
  hasCallOptions: boolean;
  /** Whether the frame behind its options holds headers that its client negotiated. */
  hasHeaders: boolean;
  /** The identity of its client, if the connection is authenticated (P-TAG-4). */
  caller: string | undefined;
  /** What ends it besides its timeout. */
  limits: RequestLimits | undefined = undefined;
  /** How often it was dispatched. */
  dispatches = 0;
  /** How many chunks a worker may send before more are granted; `MAX_CREDIT` without flow control. */
  credit: number;
  /** `undefined` without streamed input. */
  readonly input: RequestInput | undefined;
  location: RequestLocation = NOWHERE;
  // These belong to the table of requests that pin memory.
  recentSlot: number = NO_SLOT;
  pinnedBuffer: ArrayBufferLike | undefined;
  pinnedElsewhere = 0;
  pinnedPrev: QueuedRequest | undefined;
  pinnedNext: QueuedRequest | undefined;
  // These belong to the queue in which it waits, or to the worker that holds it.
  queuePrev: QueuedRequest | undefined;
  queueNext: QueuedRequest | undefined;
  // It is its own timer, which saves an object for each request that waits. These belong to `Deadlines`.
  at: Instant = Number.POSITIVE_INFINITY;
  list: Deadline<Timer>["list"];
  timerPrev: Deadline<Timer> | undefined;
  timerNext: Deadline<Timer> | undefined;
  rejectedBy: Set<WorkerRecord> | undefined;
  /** Whether the worker that holds it received it; `undefined` while this is unknown. */
  isReceived: boolean | undefined = undefined;
  /** Whether a worker was lost that may have run it. */
  mayHaveRun = false;
  /** How many workers were lost that may have run it. */
  lostWorkers = 0;
  /** Whether a partial has gone to the client: from then on the request cannot start over. */
  hasPartial = false;

  constructor(client: ClientRecord, route: Route, message: RequestMessage) {
    this.client = client;
    this.id = message.requestId;
    this.route = route;
    this.body = message.body;
    this.isRaw = message.isRaw ?? false;
    const { capabilities } = client;
    this.trailer = capabilities.deadline ? message.trailer : withDeadlineFrame(message);
    this.bytes =
      REQUEST_COST_BYTES + message.requestId.length + costOfFrames(message.body) + costOfFrames(this.trailer);
    // The first request for a name keeps its route. What the route takes is counted here, for as long as this request is open.
    if (!route.isNeeded) this.bytes += ROUTE_COST_BYTES + route.name.length;
    this.options = message.options;
    this.hasCallOptions = capabilities.methods;
    // Every peer that negotiates headers negotiates deadlines as well, or a frame of it would be in their place.
    this.hasHeaders = capabilities.headers && message.hasHeaders === true && this.trailer === message.trailer;
    this.caller = client.identity;
    const hasInput = message.options.hasInput && capabilities.duplex;
    this.input = hasInput ? { credit: 0, isGranted: false, hasEnded: false } : undefined;
    this.credit = (capabilities.credit ? message.credit : undefined) ?? MAX_CREDIT;
  }

  /** Whether its client grants the chunks of its reply bit by bit (P-STREAM-3). */
  get isPaced(): boolean {
    return this.credit !== MAX_CREDIT;
  }

  /** Whether it can be given to another worker: nothing of its reply or its input is on its way. */
  get canStartOver(): boolean {
    return !this.hasPartial && this.input?.isGranted !== true;
  }

  /** Distinguishes its id from the same id of another client. */
  get salt(): number {
    return this.client.requests.salt;
  }

  /** The service as the client named it. */
  get name(): ServiceName {
    return this.route.name;
  }

  get owner(): QueuedRequest {
    return this;
  }
}

/** P-TAG-1: a tag that the client did not negotiate is any other frame, and stays where it was. */
function withDeadlineFrame({ trailer, deadlineMs }: RequestMessage): Frames {
  const [options, ...others] = trailer;
  if (deadlineMs === undefined || options === undefined) return trailer;
  return [options, writeText(`deadline=${deadlineMs}`), ...others];
}

export type ClientRecord = ClientRecordOf<QueuedRequest>;
export type WorkerRecord = WorkerRecordOf<QueuedRequest>;
export type Registration = RegistrationOf<QueuedRequest>;
export type Service = ServiceOf<Registration, QueuedRequest>;
export type Route = RouteOf<Registration, QueuedRequest>;
