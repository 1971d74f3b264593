// What the broker knows of a registered worker.

import type { Capabilities, PeerId } from "@pigato/protocol";
import {
  type Deadline,
  type DialectTraits,
  type HeartbeatTiming,
  type Instant,
  type SizeBounds,
  UNKNOWN_TIMING,
} from "@pigato/protocol/internal";
import type { DialectId } from "./effects.ts";
import type { HeartbeatLease } from "./heartbeat-lease.ts";
import type { LoadLevel, Policy, PolicyWorker } from "./policy.ts";
import type { ProcessHeartbeats } from "./process-heartbeats.ts";
import type { RejectedEntry } from "./rejected-queue.ts";
import { RequestList } from "./request-list.ts";
import type { ServiceOf, ServiceRequest } from "./service.ts";
import type { Timer } from "./timer.ts";

/** `setWorkerState` in dispatch.ts assigns it, and keeps the policy of the service in step. */
export type WorkerState =
  /** It announced no concurrency yet and gets no request, so that even its first requests respect it. */
  | "settling"
  /** It has a free slot: the policy of its service holds it. */
  | "available"
  /** It has no free slot. */
  | "full"
  /** A send of a request failed. The worker gets none until it sends a message. */
  | "congested"
  | "gone";

/** Generic so that requests may refer to workers and workers to requests; queued-request.ts names the one kind there is. */
export class WorkerRecordOf<Request extends ServiceRequest<Request>>
  implements HeartbeatLease, PolicyWorker<WorkerRecordOf<Request>>
{
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly service: ServiceOf<WorkerRecordOf<Request>, Request>;
  /** The policy of its service. The copy saves one load of a cold object per request. */
  readonly policy: Policy<WorkerRecordOf<Request>>;
  readonly capabilities: Capabilities;
  /** `undefined` if only its own messages keep it alive. */
  readonly processHeartbeats: ProcessHeartbeats | undefined;
  /** What it accepts, if it announced less than the broker accepts (P-SIZE-1). */
  bounds: SizeBounds | undefined;
  state: WorkerState = "settling";
  /** The most requests it takes at once; `Infinity` is no limit. */
  concurrency = 0;
  /** The requests it holds, oldest dispatch first. */
  readonly inFlight: RequestList<Request> = new RequestList();
  /** Requests that wait for this worker and no other. */
  readonly targeted: RequestList<Request> = new RequestList();
  /** The location of the requests it holds, and of those that wait for it: one object for all of them. */
  readonly heldLocation: { readonly at: "worker"; readonly worker: WorkerRecordOf<Request> } = {
    at: "worker",
    worker: this,
  };
  readonly targetLocation: {
    readonly at: "target";
    readonly queue: RequestList<Request>;
    readonly worker: WorkerRecordOf<Request>;
  } = { at: "target", queue: this.targeted, worker: this };
  /** The address of a request that it still runs although the request has ended, if it is sequential (D-LIVE-3). */
  abandoned: string | undefined;
  /** Since when this is known. */
  abandonedAt: Instant | undefined;
  // These belong to the queue of rejected requests, and to the policy.
  rejectedCursor: RejectedEntry<Request> | undefined;
  policyPrev: WorkerRecordOf<Request> | undefined;
  policyNext: WorkerRecordOf<Request> | undefined;
  policyLevel: LoadLevel<WorkerRecordOf<Request>> | undefined;
  policyIndex = -1;
  /** What is known of the interval at which it sends heartbeats. */
  timing: HeartbeatTiming = UNKNOWN_TIMING;
  /** When its last heartbeat came. */
  heartbeatAt: Instant | undefined;
  receivedAt: Instant = 0;
  bytesAt: Instant = 0;
  promptedAt: Instant = 0;
  missed = 0;
  readonly lease: Deadline<Timer>;
  readonly settling: Deadline<Timer>;

  constructor(init: WorkerInit<Request>) {
    this.id = init.id;
    this.dialect = init.dialect;
    this.traits = init.traits;
    this.service = init.service;
    this.policy = init.service.available;
    this.capabilities = init.capabilities;
    this.processHeartbeats = init.processHeartbeats;
    this.lease = init.lease;
    this.settling = init.settling;
  }

  /** Whether it can take a request now. */
  get hasFreeSlot(): boolean {
    if (this.state !== "available" && this.state !== "full") return false;
    return this.abandoned === undefined && this.inFlight.size < this.concurrency;
  }

  /** Whether it runs something, even if that has ended for the broker. */
  get isBusy(): boolean {
    return this.inFlight.size > 0 || this.abandoned !== undefined;
  }
}

export interface WorkerInit<Request extends ServiceRequest<Request>> {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly service: ServiceOf<WorkerRecordOf<Request>, Request>;
  readonly capabilities: Capabilities;
  readonly processHeartbeats: ProcessHeartbeats | undefined;
  readonly lease: Deadline<Timer>;
  readonly settling: Deadline<Timer>;
}
