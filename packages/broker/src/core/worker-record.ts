// What the broker knows of a registered worker, and of each service that the worker offers. The services of one worker share
// its slots: a worker with a free slot can take a request for any of them.

import type { Capabilities, PeerId, ServiceName } from "@pigato/protocol";
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
import { Offers } from "./offers.ts";
import { type LoadLevel, type Policy, PolicyList, type PolicyWorker } from "./policy.ts";
import type { ProcessHeartbeats } from "./process-heartbeats.ts";
import type { RejectedEntry } from "./rejected-queue.ts";
import { RequestList } from "./request-list.ts";
import type { ServiceOf, ServiceRequest } from "./service.ts";
import type { Timer } from "./timer.ts";

/** `setWorkerState` in dispatch.ts assigns it, and keeps the policies of its services in step. */
export type WorkerState =
  /** It announced no concurrency yet and gets no request, so that even its first requests respect it. */
  | "settling"
  /** It has a free slot: the policies of its services hold it. */
  | "available"
  /** It has no free slot. */
  | "full"
  /** A send of a request failed. The worker gets none until it sends a message. */
  | "congested"
  | "gone";

/** Generic so that requests may refer to workers and workers to requests; queued-request.ts names the one kind there is. */
export class WorkerRecordOf<Request extends ServiceRequest<Request>> implements HeartbeatLease {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly capabilities: Capabilities;
  /** `undefined` if only its own messages keep it alive. */
  readonly processHeartbeats: ProcessHeartbeats | undefined;
  /** What it accepts, if it announced less than the broker accepts (P-SIZE-1). */
  bounds: SizeBounds | undefined;
  state: WorkerState = "settling";
  /** The most requests it takes at once, for all its services; `Infinity` is no limit. */
  concurrency = 0;
  /** The requests it holds, oldest dispatch first. */
  readonly inFlight: RequestList<Request> = new RequestList();
  /** The service of its first READY. */
  readonly first: RegistrationOf<Request>;
  /** All its services, in the order of its READY messages. */
  readonly registrations: RegistrationOf<Request>[] = [];
  /** All its services by name, once there are several. */
  offers: Offers<RegistrationOf<Request>> | undefined;
  /** Its registrations that no policy holds, in the order in which they get its next free slots. */
  readonly turns: PolicyList<RegistrationOf<Request>> = new PolicyList();
  /** The address of a request that it still runs although the request has ended, if it is sequential (D-LIVE-3). */
  abandoned: string | undefined;
  /** Since when this is known. */
  abandonedAt: Instant | undefined;
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
    this.capabilities = init.capabilities;
    this.processHeartbeats = init.processHeartbeats;
    this.lease = init.lease;
    this.settling = init.settling;
    this.first = new RegistrationOf(this, init.service);
    this.#append(this.first);
  }

  /** The worker, which is not available at the moment, offers one more service. */
  add(service: ServiceOf<RegistrationOf<Request>, Request>): RegistrationOf<Request> {
    if (this.offers === undefined) {
      this.offers = new Offers();
      this.offers.add(this.first);
      this.first.isShared = true;
    }
    const added = new RegistrationOf(this, service);
    added.isShared = true;
    this.offers.add(added);
    this.#append(added);
    return added;
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

  #append(registration: RegistrationOf<Request>): void {
    this.registrations.push(registration);
    this.turns.append(registration);
  }
}

export interface WorkerInit<Request extends ServiceRequest<Request>> {
  readonly id: PeerId;
  readonly dialect: DialectId;
  readonly traits: DialectTraits;
  readonly service: ServiceOf<RegistrationOf<Request>, Request>;
  readonly capabilities: Capabilities;
  readonly processHeartbeats: ProcessHeartbeats | undefined;
  readonly lease: Deadline<Timer>;
  readonly settling: Deadline<Timer>;
}

/** One service that a worker offers. Either the policy of the service holds it, or the worker does, in `turns`. */
export class RegistrationOf<Request extends ServiceRequest<Request>> implements PolicyWorker<RegistrationOf<Request>> {
  readonly worker: WorkerRecordOf<Request>;
  readonly service: ServiceOf<RegistrationOf<Request>, Request>;
  /** The policy of the service. The copy saves one load of a cold object per request, as does the next one. */
  readonly policy: Policy<RegistrationOf<Request>>;
  /** The requests that the worker holds, for any of its services: its load. */
  readonly inFlight: RequestList<Request>;
  /** Whether the policy of the service holds it. */
  isListed = false;
  /** Whether the load changes through other services, too. */
  isShared = false;
  /** Requests for this service that wait for this worker and no other. */
  readonly targeted: RequestList<Request> = new RequestList();
  /** The location of the requests that the worker holds for this service, and of `targeted`: one object for all of them. */
  readonly heldLocation: {
    readonly at: "worker";
    readonly worker: WorkerRecordOf<Request>;
    readonly registration: RegistrationOf<Request>;
  };
  readonly targetLocation: {
    readonly at: "target";
    readonly queue: RequestList<Request>;
    readonly registration: RegistrationOf<Request>;
  } = { at: "target", queue: this.targeted, registration: this };
  // These belong to the queue of rejected requests, and to the list that holds it: a policy, or `turns`.
  rejectedCursor: RejectedEntry<Request> | undefined;
  policyPrev: RegistrationOf<Request> | undefined;
  policyNext: RegistrationOf<Request> | undefined;
  policyLevel: LoadLevel<RegistrationOf<Request>> | undefined;
  policyIndex = -1;

  constructor(worker: WorkerRecordOf<Request>, service: ServiceOf<RegistrationOf<Request>, Request>) {
    this.worker = worker;
    this.service = service;
    this.policy = service.available;
    this.inFlight = worker.inFlight;
    this.heldLocation = { at: "worker", worker, registration: this };
  }

  get name(): ServiceName {
    return this.service.name;
  }
}
